"""A garbage collection while a call joins another one: it can run code of the program's that makes a call."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from typing import Any

from sentrial._session import Activation, Session
from sentrial._spans import joined, llm
from sentrial._spans.llm import AnyCall, LlmCall
from sentrial.types import LlmRequest, LlmResponse
from written import Writing

REQUEST = LlmRequest("chat", "openai", "gpt-4o")


class Interrupted(list[AnyCall]):
    """Makes a call, once, while somebody looks through it."""

    def __init__(self, *calls: AnyCall) -> None:
        super().__init__(calls)
        self.interrupted = False
        self.made: list[AnyCall] = []

    def __iter__(self) -> Iterator[AnyCall]:
        if not self.interrupted:
            self.interrupted = True
            self.made.append(llm.begin(REQUEST))
        return super().__iter__()


def test_such_a_call_is_one_of_its_own(recorder: Writing, session: Session) -> None:
    outer = llm.begin(REQUEST, session=session)
    calls = Interrupted(outer)
    inner: list[Any] = []

    def ask() -> None:
        activation = Activation(joined.around(outer.context, calls))
        inner.append(llm.begin(REQUEST))
        activation.leave()

    thread = threading.Thread(target=contextvars.copy_context().run, args=(ask,), daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    (other,) = calls.made
    assert isinstance(other, LlmCall)
    assert inner[0].span is outer.span
    for call in (other, inner[0], outer):
        call.succeed(LlmResponse())
    assert len(recorder.spans) == 2
