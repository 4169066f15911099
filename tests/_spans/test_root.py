from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from sentrial import _config, _payload, semconv
from sentrial._config import Config
from sentrial._payload import Policy
from sentrial._session import Session
from sentrial._spans import afterwards, root
from sentrial._spans.error import record_error
from sentrial._spans.root import Ending, Opening
from written import Writing

COUNTS = {
    "sentrial.session.llm_calls": 0,
    "sentrial.session.tool_calls": 0,
    "sentrial.session.decisions": 0,
    "sentrial.session.errors": 0,
}


def user(content: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"type": "text", "content": content}]}


def assistant(content: str) -> dict[str, Any]:
    return {"role": "assistant", "parts": [{"type": "text", "content": content}]}


def test_a_session_that_is_told_everything_says_everything(recorder: Writing) -> None:
    parent = f"{1:032x}-{2:016x}"
    session = root.open_session(
        Opening(
            "support", "u1", name="Refund", conversation_id="c1", event_id="e1", parent_session_id=parent,
            metadata={"tier": "gold", "n": 7}, input="Where is my order?",
        ),
        nested=False,
    )  # fmt: skip
    root.end_session(
        session,
        Ending(
            output="On its way.", estimated_cost=0.045, prompt_tokens=1500, completion_tokens=500, total_tokens=2100,
            duration_ms=1234.5, custom_metrics={"satisfaction": 4.5},
        ),
    )  # fmt: skip
    span = recorder.named("invoke_agent support")
    assert span.span.kind is SpanKind.INTERNAL
    assert span.span.parent is None
    assert span.status == ("UNSET", None)
    assert span.json(semconv.GEN_AI_INPUT_MESSAGES) == [user("Where is my order?")]
    assert span.json(semconv.GEN_AI_OUTPUT_MESSAGES) == [assistant("On its way.")]
    assert span.without("gen_ai.input", "gen_ai.output") == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "support",
        "gen_ai.conversation.id": "c1",
        "gen_ai.usage.input_tokens": 1500,
        "gen_ai.usage.output_tokens": 500,
        "session.id": "c1",
        "user.id": "u1",
        "openinference.span.kind": "AGENT",
        "input.value": "Where is my order?",
        "input.mime_type": "text/plain",
        "output.value": "On its way.",
        "output.mime_type": "text/plain",
        "sentrial.event.type": "session",
        "sentrial.session.id": session.id,
        "sentrial.session.name": "Refund",
        "sentrial.event_id": "e1",
        "sentrial.convo_id": "c1",
        "sentrial.parent_session_id": parent,
        "sentrial.metadata.tier": "gold",
        "sentrial.metadata.n": 7,
        "sentrial.metric.satisfaction": 4.5,
        "sentrial.estimated_cost": 0.045,
        "sentrial.usage.total_tokens": 2100,
        "sentrial.session.outcome": "completed",
        "sentrial.session.success": True,
        "sentrial.session.duration_ms": 1234.5,
        **COUNTS,
    }
    assert [dict(link.attributes) for link in span.span.links] == [{"sentrial.link": "parent_session"}]
    beside = {"gen_ai.input.messages", "gen_ai.output.messages"}
    beside |= {f"{way}.{part}" for way in ("input", "output") for part in ("value", "mime_type")}
    assert set(span.attributes) - set(span.seen) == beside


def test_a_session_that_is_told_nothing_makes_nothing_up(recorder: Writing) -> None:
    session = root.open_session(Opening("support", None), nested=False)
    assert root.end_session(session, Ending()) is True
    assert root.end_session(session, Ending()) is False
    (span,) = recorder.spans
    assert span.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "support",
        "session.id": session.id,
        "openinference.span.kind": "AGENT",
        "sentrial.event.type": "session",
        "sentrial.session.id": session.id,
        "sentrial.session.outcome": "completed",
        "sentrial.session.success": True,
        **COUNTS,
    }


@pytest.mark.parametrize(
    ("ending", "expected", "status", "events"),
    [
        (
            Ending(outcome="failed", failure_reason="no such order"),
            {"outcome": "failed", "success": False, "failure_reason": "no such order"},
            ("ERROR", "no such order"), 0,
        ),
        (Ending(outcome="failed"), {"outcome": "failed", "success": False}, ("ERROR", None), 0),
        (
            Ending(outcome="failed", error=TimeoutError("slow, password=hunter2")),
            {"outcome": "failed", "success": False, "failure_reason": "TimeoutError: slow, password=[masked]"},
            ("ERROR", "TimeoutError: slow, password=[masked]"), 1,
        ),
        (Ending(outcome="cancelled", error=asyncio.CancelledError()), None, ("UNSET", None), 0),
        (Ending(outcome="abandoned"), {"outcome": "abandoned"}, ("UNSET", None), 0),
        (Ending(outcome="paused"), {"outcome": "paused"}, ("UNSET", None), 0),
    ],
    ids=lambda value: value.outcome if isinstance(value, Ending) else "",
)  # fmt: skip
def test_how_a_session_ended_is_said(
    recorder: Writing,
    session: Session,
    ending: Ending,
    expected: dict[str, object] | None,
    status: tuple[str, str | None],
    events: int,
) -> None:
    root.end_session(session, ending)
    attributes = recorder.last.attributes
    said = {
        key: attributes.get(f"sentrial.session.{key}")
        for key in ("outcome", "success", "failure_reason")
        if f"sentrial.session.{key}" in attributes
    }
    assert attributes["sentrial.session.outcome"] == ending.outcome
    if expected is not None:
        assert said == expected
    assert "success" not in said or ending.outcome == "failed"
    assert recorder.last.status == status
    assert attributes.get("error.type") == (
        None if status[0] == "UNSET" else "TimeoutError" if ending.error else "_OTHER"
    )
    assert [name for name, _ in recorder.last.events] == ["exception"] * events


def test_totals_are_sums_of_what_is_known(recorder: Writing, session: Session) -> None:
    afterwards.tell_llm_call(session, "no-such-model", prompt_tokens=10)
    afterwards.tell_llm_call(session, "no-such-model", prompt_tokens=5, completion_tokens=7, estimated_cost=0.25)
    afterwards.tell_tool_call(session, "t", {}, {}, estimated_cost=0.5)
    afterwards.tell_decision(session, "why")
    record_error(session, "what")
    root.end_session(session, Ending())
    attributes = recorder.last.attributes
    assert {key: attributes[key] for key in COUNTS} == dict(zip(COUNTS, (2, 1, 1, 1), strict=True))
    assert attributes["gen_ai.usage.input_tokens"] == 15
    assert attributes["gen_ai.usage.output_tokens"] == 7
    assert attributes["sentrial.usage.total_tokens"] == 22
    assert attributes["sentrial.estimated_cost"] == 0.75


def test_amounts_that_make_no_sense_are_kept_as_they_came(
    recorder: Writing, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    root.end_session(
        session, Ending(estimated_cost="cheap", prompt_tokens=-1, duration_ms="long", custom_metrics={"m": "high"})
    )
    attributes = recorder.last.attributes
    assert attributes["sentrial.metadata.estimated_cost"] == "cheap"
    assert attributes["sentrial.metadata.prompt_tokens"] == -1
    assert attributes["sentrial.metadata.duration_ms"] == "long"
    assert attributes["sentrial.metadata.metric.m"] == "high"
    assert "sentrial.estimated_cost" not in attributes
    assert "gen_ai.usage.input_tokens" not in attributes
    assert len(caplog.records) == 4


def test_without_openinference_its_keys_are_left_out(recorder: Writing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config, "active", Config(openinference=False))
    session = root.open_session(Opening("support", "u1", input="hi"), nested=False)
    root.end_session(session, Ending(output={"a": 1}))
    assert not {key for key in recorder.last.attributes if key.startswith(("openinference", "input.", "output."))}
    assert recorder.last.json(semconv.GEN_AI_OUTPUT_MESSAGES) == [assistant('{"a":1}')]


def test_an_input_that_is_no_text_is_json_and_says_so(recorder: Writing) -> None:
    history = [{"role": "user", "content": "before"}]
    session = root.open_session(Opening("support", "u1", input=history), nested=False)
    history[0]["content"] = "after"
    root.end_session(session, Ending(output={"answer": ["x"], "password": "hunter2"}))
    span = recorder.last
    assert span.json(semconv.GEN_AI_INPUT_MESSAGES) == [user("before")]
    assert span.json("input.value") == [{"role": "user", "content": "before"}]
    assert span.attributes["input.mime_type"] == "application/json"
    assert span.json("output.value") == {"answer": ["x"], "password": "[masked]"}
    assert span.json(semconv.GEN_AI_OUTPUT_MESSAGES) == [assistant('{"answer":["x"],"password":"[masked]"}')]
    assert span.attributes["sentrial.masked"] == 2


def test_off_means_off_for_input_and_output(recorder: Writing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_payload, "policy", Policy(to_us=False))
    session = root.open_session(Opening("support", "u1", input="hi", metadata={"a": 1}), nested=False)
    root.end_session(session, Ending(output="ho", prompt_tokens=1))
    attributes = recorder.last.attributes
    assert not {key for key in attributes if key.startswith(("input.", "output.")) or "messages" in key}
    assert attributes["sentrial.metadata.a"] == 1
    assert attributes["gen_ai.usage.input_tokens"] == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_can_add_to_a_session_that_another_thread_was_adding_to(recorder: Writing) -> None:
    sessions = [root.open_session(Opening("support", "u1"), nested=False) for _ in range(2)]
    root.end_session(sessions[1], Ending())
    inside, go = threading.Event(), threading.Event()

    def add() -> None:
        with sessions[0].lock, sessions[1].lock:
            inside.set()
            assert go.wait(30)

    thread = threading.Thread(target=add)
    thread.start()
    assert inside.wait(30)
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(30)
            for session in sessions:
                session.add(errors=1)
            os._exit(sum(session.totals.errors for session in sessions))
        finally:
            os._exit(99)
    go.set()
    thread.join(30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
