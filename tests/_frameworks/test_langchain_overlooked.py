"""Handlers of the program's hear all that they heard without ours."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, AsyncCallbackManager, BaseCallbackHandler
from langchain_core.language_models import FakeListLLM

import sentrial
from langchain_scenarios import Exported
from receivers import OtlpHttpReceiver
from sentrial._frameworks.langchain.handler import RunHandler
from sentrial._frameworks.langchain.overlooked import tell_all
from sentrial.langchain import SentrialCallbackHandler


class Hearing(AsyncCallbackHandler):
    """One of the program's own."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    async def on_llm_start(self, serialized: Any, prompts: list[str], *, run_id: Any, **_: Any) -> None:
        self.heard.append((prompts[0], run_id))

    async def on_llm_end(self, response: Any, *, run_id: Any, **_: Any) -> None:
        self.heard.append((response.generations[0][0].text, run_id))


class HearingSync(BaseCallbackHandler):
    """The same, which LangChain runs in a thread."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def on_llm_start(self, serialized: Any, prompts: list[str], *, run_id: Any, **_: Any) -> None:
        self.heard.append((prompts[0], run_id))

    def on_llm_end(self, response: Any, *, run_id: Any, **_: Any) -> None:
        self.heard.append((response.generations[0][0].text, run_id))


class HearingInline(HearingSync):
    run_inline = True


@pytest.mark.parametrize("kind", [Hearing, HearingSync, HearingInline])
@pytest.mark.parametrize("ours", ["zero code", "given before", "given after"])
async def test_a_completion_models_start_is_told_to_all(
    collector: OtlpHttpReceiver, exported: Exported, kind: Any, ours: str
) -> None:
    sentrial.configure(otlp_endpoint=collector.url, instrument=["langchain"])
    hearing, handler = kind(), SentrialCallbackHandler()
    callbacks = {"zero code": [hearing], "given before": [handler, hearing], "given after": [hearing, handler]}[ours]
    model = FakeListLLM(responses=["yes", "no"])
    await model.agenerate(["first", "second"], callbacks=callbacks)
    assert [text for text, _ in hearing.heard] == ["first", "second", "yes", "no"]
    (first, second), ends = ([run for _, run in hearing.heard][at : at + 2] for at in (0, 2))
    assert [first, second] == ends
    assert [span["name"] for span in exported.spans if span["name"].startswith("text_completion")] == [
        "text_completion"
    ] * 2
    assert handler.llm_calls == (0 if ours == "zero code" else 2)


async def test_the_run_that_the_program_names_keeps_its_id(exported: Exported) -> None:
    hearing, run_id = Hearing(), uuid4()
    config = {"callbacks": [SentrialCallbackHandler(), hearing], "run_id": run_id}
    await FakeListLLM(responses=["yes"]).ainvoke("first", config)
    assert hearing.heard == [("first", run_id), ("yes", run_id)]


async def test_langchain_tells_it_once_however_often_handlers_are_made() -> None:
    SentrialCallbackHandler()
    before = AsyncCallbackManager.on_llm_start
    SentrialCallbackHandler()
    tell_all(RunHandler)
    assert AsyncCallbackManager.on_llm_start is before
    assert before.__name__ == "on_llm_start"
