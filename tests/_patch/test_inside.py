"""What is patched inside a call: a client's own tracer, held back only where ours are the spans."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

import pytest
from opentelemetry import trace
from opentelemetry.context import get_current
from opentelemetry.sdk.trace import TracerProvider

from own_client import describe
from recorder import Recorder
from sentrial._patch.inside import build_own_tracer
from sentrial._patch.switch import Switch
from sentrial._patch.wrapper import build_wrapper
from sentrial._session import Activation
from sentrial._spans import joined, llm
from sentrial.types import LlmRequest


class Chat:
    """A client with spans of its own: it gives the tracer that it would use."""

    def __init__(self, tracer: Any) -> None:
        self.given = tracer

    @property
    def tracer(self) -> Any:
        return self.given

    def ask(self, model: str) -> Any:
        return self.tracer


def patched(tracer: Any, switch: Switch) -> Any:
    methods = {
        "ask": build_wrapper(describe(), Chat.ask, switch),
        "tracer": build_own_tracer(vars(Chat)["tracer"], switch),
    }
    return type("Patched", (Chat,), methods)(tracer)


@pytest.fixture
def switch() -> Switch:
    switch = Switch()
    switch.on = True
    return switch


def test_inside_a_call_of_ours_there_is_none(recorder: Recorder, switch: Switch) -> None:
    tracer = recorder.provider.get_tracer("theirs")
    chat = patched(tracer, switch)
    assert chat.ask("m") is None
    assert recorder.one.name == "chat m"
    assert chat.tracer is tracer


def test_inside_a_frameworks_call_that_it_joins_there_is_none(recorder: Recorder, switch: Switch) -> None:
    call = llm.begin(LlmRequest("chat", "own", "framework's"))
    activation = Activation(joined.around(call.context, [call]))
    assert patched(recorder.provider.get_tracer("theirs"), switch).ask("m") is None
    activation.leave()
    call.succeed(None)
    assert recorder.one.name == "chat m"


def test_inside_a_frameworks_call_that_another_tells_of_there_is_none(recorder: Recorder, switch: Switch) -> None:
    activation = Activation(joined.told_by_another(get_current(), "another"))
    assert patched(recorder.provider.get_tracer("theirs"), switch).ask("m") is None
    activation.leave()
    assert recorder.started == 0


def test_where_its_spans_go_elsewhere_it_stays(recorder: Recorder, switch: Switch) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("theirs")
    assert patched(tracer, switch).ask("m") is tracer


def test_one_whose_spans_nobody_gets_is_none(recorder: Recorder, switch: Switch) -> None:
    assert patched(trace.NoOpTracer(), switch).ask("m") is None


def test_switched_off_it_stays(recorder: Recorder, switch: Switch) -> None:
    tracer = recorder.provider.get_tracer("theirs")
    switch.on = False
    assert patched(tracer, switch).ask("m") is tracer
    assert recorder.started == 0


def test_of_a_client_that_is_not_chosen_it_stays(recorder: Recorder) -> None:
    chosen: WeakSet[Any] = WeakSet()
    switch = Switch(lambda client: client, chosen)
    switch.on = True
    tracer = recorder.provider.get_tracer("theirs")
    theirs, ours = patched(tracer, switch), patched(tracer, switch)
    chosen.add(ours)
    assert theirs.ask("m") is tracer
    assert ours.ask("m") is None
    assert recorder.one.name == "chat m"


@pytest.mark.quiet_guard
def test_a_client_that_cannot_be_told_apart_costs_nothing(recorder: Recorder) -> None:
    def broken(client: Any) -> Any:
        raise RuntimeError("no identity")

    switch = Switch(broken, WeakSet())
    switch.on = True
    tracer = recorder.provider.get_tracer("theirs")
    assert patched(tracer, switch).ask("m") is tracer
    assert recorder.started == 0
