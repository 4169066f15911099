"""Calls that another instrumentation tells of already: ours stays out, and says so once."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind

from own_client import describe
from recorder import Recorder
from sentrial._patch.switch import Switch
from sentrial._patch.wrapper import build_wrapper


def ask(self: Any, model: str) -> str:
    return model.upper()


@pytest.fixture
def chat() -> Any:
    switch = Switch()
    switch.on = True
    return type("Chat", (), {"ask": build_wrapper(describe(), ask, switch)})()


def ours(recorder: Recorder) -> list[str]:
    return [span.name for span in recorder.spans if span.name.startswith("chat ")]


@pytest.mark.parametrize(
    "kind",
    [
        {"gen_ai.operation.name": "chat"},
        {"gen_ai.operation.name": "generate_content"},
        {"openinference.span.kind": "LLM"},
        {"llm.request.type": "completion"},
    ],
)
def test_inside_a_model_call_of_anothers_ours_stays_out_and_says_so_once(
    chat: Any, recorder: Recorder, caplog: pytest.LogCaptureFixture, kind: dict[str, str]
) -> None:
    caplog.set_level(logging.INFO, logger="sentrial")
    for _ in range(2):
        with recorder.provider.get_tracer("others").start_as_current_span(
            "call", kind=SpanKind.CLIENT, attributes=kind
        ):
            assert chat.ask("m") == "M"
    assert ours(recorder) == []
    assert caplog.messages == [
        "sentrial: the calls of own are recorded by others already, so that they are not recorded twice. Its spans "
        "count in their sessions. To have ours instead, switch that instrumentation off."
    ]


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"gen_ai.operation.name": "invoke_agent"},
        {"gen_ai.operation.name": "execute_tool"},
        {"openinference.span.kind": "CHAIN"},
        {"http.request.method": "POST"},
    ],
)
def test_inside_any_other_span_ours_is_made(
    chat: Any, recorder: Recorder, caplog: pytest.LogCaptureFixture, kind: dict[str, str]
) -> None:
    with recorder.provider.get_tracer("others").start_as_current_span("around", attributes=kind):
        chat.ask("m")
    assert ours(recorder) == ["chat m"]
    assert caplog.messages == []


def test_inside_a_span_of_ours_ours_is_made(chat: Any, recorder: Recorder) -> None:
    kind = {"gen_ai.operation.name": "chat"}
    with recorder.provider.get_tracer("sentrial").start_as_current_span("told by hand", attributes=kind):
        chat.ask("m")
    assert ours(recorder) == ["chat m"]


def test_inside_a_span_that_nobody_records_the_call_is_made_and_nothing_is_said(chat: Any, recorder: Recorder) -> None:
    unsampled = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    kind = {"gen_ai.operation.name": "chat"}
    with unsampled.get_tracer("others").start_as_current_span("call", attributes=kind):
        assert not trace.get_current_span().is_recording()
        assert chat.ask("m") == "M"
