from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from sentrial import _payload, semconv
from sentrial._payload import Policy
from sentrial._session import Session
from sentrial._spans import afterwards, llm, root
from sentrial._spans.error import record_error
from sentrial._spans.root import Ending
from sentrial._spans.tool import ToolCall
from sentrial.types import LlmRequest, LlmResponse
from written import Writing


def stamps(session: Session) -> dict[str, Any]:
    return {
        "sentrial.session.id": session.id,
        "session.id": "c1",
        "user.id": "u1",
        "gen_ai.conversation.id": "c1",
    }


def test_a_live_call_says_everything(recorder: Writing, session: Session) -> None:
    with ToolCall(
        session,
        "search",
        {"query": "refunds", "limit": 3},
        reasoning="the user asked",
        call_id="call_1",
        description="Searches the knowledge base",
        metadata={"index": "kb", "n": 1},
    ) as call:
        assert trace.get_current_span() is call.span
        call.set_output({"hits": ["KB-1"]})
        call.set_cost(0.001)
    span = recorder.named("execute_tool search")
    assert span.span.kind is SpanKind.INTERNAL
    assert span.span.parent.span_id == session.context.span_id
    assert span.status == ("UNSET", None)
    assert span.events == []
    assert span.attributes == {
        **stamps(session),
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.tool.description": "Searches the knowledge base",
        "gen_ai.agent.name": "support",
        "gen_ai.tool.call.arguments": '{"query":"refunds","limit":3}',
        "gen_ai.tool.call.result": '{"hits":["KB-1"]}',
        "sentrial.event.type": "tool_call",
        "sentrial.reasoning": "the user asked",
        "sentrial.estimated_cost": 0.001,
        "sentrial.metadata.index": "kb",
        "sentrial.metadata.n": 1,
    }
    assert set(span.attributes) - set(span.seen) == {
        "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "sentrial.reasoning",
    }  # fmt: skip
    assert session.totals.tool_calls == 1
    assert session.totals.costs == [0.001]


def test_a_told_call_is_the_same_span_without_a_duration(recorder: Writing, session: Session) -> None:
    afterwards.tell_tool_call(
        session, "search", {"query": "refunds"}, {"hits": []}, reasoning="why", estimated_cost=0.5, token_count=12,
        call_id="call_1", metadata={"a": 1},
    )  # fmt: skip
    span = recorder.named("execute_tool search")
    assert span.seconds == 0
    assert span.attributes == {
        **stamps(session),
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.agent.name": "support",
        "gen_ai.tool.call.arguments": '{"query":"refunds"}',
        "gen_ai.tool.call.result": '{"hits":[]}',
        "sentrial.event.type": "tool_call",
        "sentrial.reasoning": "why",
        "sentrial.estimated_cost": 0.5,
        "sentrial.usage.total_tokens": 12,
        "sentrial.metadata.a": 1,
    }


def test_a_told_duration_is_the_spans(recorder: Writing, session: Session) -> None:
    afterwards.tell_tool_call(session, "slow", {}, {}, duration_ms=1_500)
    assert recorder.last.seconds == 1.5
    afterwards.tell_tool_call(session, "odd", {}, {}, duration_ms=-5)
    assert recorder.last.seconds == 0


@pytest.mark.parametrize(
    ("given", "arguments", "result"),
    [
        ("text", {"input": "text"}, {"result": "text"}),
        ([1, "a"], {"input": [1, "a"]}, {"result": [1, "a"]}),
        (7, {"input": 7}, {"result": 7}),
        (False, {"input": False}, {"result": False}),
        ({}, {}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        (b"\xff", {"input": "/w=="}, {"result": "/w=="}),
    ],
    ids=repr,
)
def test_arguments_and_results_are_objects(
    recorder: Writing, session: Session, given: object, arguments: object, result: object
) -> None:
    afterwards.tell_tool_call(session, "t", given, given)
    assert recorder.last.json(semconv.GEN_AI_TOOL_CALL_ARGUMENTS) == arguments
    assert recorder.last.json(semconv.GEN_AI_TOOL_CALL_RESULT) == result


def test_a_dataclass_is_an_object_of_its_own(recorder: Writing, session: Session) -> None:
    from dataclasses import dataclass

    @dataclass
    class Query:
        text: str

    afterwards.tell_tool_call(session, "t", Query("a"), [Query("b")])
    assert recorder.last.json(semconv.GEN_AI_TOOL_CALL_ARGUMENTS) == {"text": "a"}
    assert recorder.last.json(semconv.GEN_AI_TOOL_CALL_RESULT) == {"result": [{"text": "b"}]}


def test_what_is_not_given_is_absent(recorder: Writing, session: Session) -> None:
    afterwards.tell_tool_call(session, "t", None, None)
    assert recorder.last.without("sentrial.session", "session", "user", "gen_ai.conversation") == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "t",
        "gen_ai.tool.type": "function",
        "gen_ai.agent.name": "support",
        "sentrial.event.type": "tool_call",
    }


@pytest.mark.parametrize(
    ("error", "status", "error_type", "events"),
    [
        ("timed out", "timed out", "_OTHER", 0),
        ({"message": "timed out", "type": "Timeout"}, "timed out", "Timeout", 0),
        ({"code": 7}, "{'code': 7}", "_OTHER", 0),
        (TimeoutError("timed out"), "TimeoutError: timed out", "TimeoutError", 1),
        ("password=hunter2", "password=[masked]", "_OTHER", 0),
    ],
    ids=repr,
)
def test_a_told_error_makes_the_span_an_error(
    recorder: Writing, session: Session, error: object, status: str, error_type: str, events: int
) -> None:
    afterwards.tell_tool_call(session, "t", {"a": 1}, None, tool_error=error)
    assert recorder.last.status == ("ERROR", status)
    assert recorder.last.attributes["error.type"] == error_type
    assert len(recorder.last.events) == events


@pytest.mark.parametrize("nothing", [None, "", {}, False])
def test_an_error_that_says_nothing_is_none(recorder: Writing, session: Session, nothing: object) -> None:
    afterwards.tell_tool_call(session, "t", {}, {}, tool_error=nothing)
    assert recorder.last.status == ("UNSET", None)
    assert "error.type" not in recorder.last.attributes


class UnreachableError(Exception):
    pass


def test_an_exception_leaves_the_block_as_it_is_and_is_on_the_span(recorder: Writing, session: Session) -> None:
    error = UnreachableError("no route")
    call = ToolCall(session, "t", {})
    call.set_output("partial")
    with pytest.raises(UnreachableError) as caught, call:
        raise error
    assert caught.value is error
    span = recorder.last
    assert span.status == ("ERROR", "UnreachableError: no route")
    assert span.attributes["error.type"] == f"{__name__}.UnreachableError"
    assert span.json(semconv.GEN_AI_TOOL_CALL_RESULT) == {"result": "partial"}
    ((name, event),) = span.events
    assert name == "exception"
    assert event["exception.type"] == f"{__name__}.UnreachableError"
    assert event["exception.message"] == "no route"
    assert event["exception.stacktrace"].startswith("Traceback (most recent call last):")
    assert event["exception.stacktrace"].endswith("UnreachableError: no route\n")


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit(), KeyboardInterrupt(), SystemExit(0)])
def test_control_flow_is_no_failure(recorder: Writing, session: Session, error: BaseException) -> None:
    with pytest.raises(type(error)), ToolCall(session, "t", {}):
        raise error
    assert recorder.last.status == ("UNSET", None)
    assert recorder.last.events == []


def test_an_error_that_was_handled_can_be_told(recorder: Writing, session: Session) -> None:
    with ToolCall(session, "t", {}) as call:
        call.set_error({"message": "empty", "type": "NoResult"})
    assert recorder.last.status == ("ERROR", "empty")
    assert recorder.last.attributes["error.type"] == "NoResult"


def test_the_last_output_counts_and_each_is_a_snapshot(recorder: Writing, session: Session) -> None:
    output = {"hits": [1]}
    arguments = {"query": ["before"]}
    with ToolCall(session, "t", arguments) as call:
        call.set_output("first")
        call.set_output(output)
        output["hits"].append(2)
        arguments["query"].append("after")
    assert recorder.last.json(semconv.GEN_AI_TOOL_CALL_RESULT) == {"hits": [1]}
    assert recorder.last.json(semconv.GEN_AI_TOOL_CALL_ARGUMENTS) == {"query": ["before"]}


def test_what_happens_inside_nests_and_what_happens_after_does_not(recorder: Writing, session: Session) -> None:
    tracer = recorder.provider.get_tracer("http")
    before = trace.get_current_span()
    with ToolCall(session, "outer", {}) as outer, ToolCall(session, "inner", {}):
        tracer.start_span("GET").end()
    assert trace.get_current_span() is before
    inner, get = recorder.named("execute_tool inner"), recorder.named("GET")
    assert inner.span.parent.span_id == outer.span.get_span_context().span_id
    assert get.span.parent.span_id == inner.span.context.span_id
    assert get.attributes == {"sentrial.session.id": session.id, "session.id": "c1", "user.id": "u1"}


async def test_async_with_is_the_same(recorder: Writing, session: Session) -> None:
    async with ToolCall(session, "t", {"a": 1}) as call:
        await asyncio.sleep(0)
        call.set_output({"b": 2})
    assert recorder.last.json(semconv.GEN_AI_TOOL_CALL_RESULT) == {"b": 2}


def test_a_call_ends_once(recorder: Writing, session: Session) -> None:
    with ToolCall(session, "t", {}) as call:
        call.end()
        call.end()
    assert [span.span.name for span in recorder.spans] == ["execute_tool t"]
    assert session.totals.tool_calls == 1


@pytest.mark.parametrize("policy", [Policy(), Policy(to_us=False)], ids=["content", "no content"])
def test_the_call_id_links_to_the_model_call_that_asked(
    recorder: Writing, session: Session, monkeypatch: pytest.MonkeyPatch, policy: Policy
) -> None:
    monkeypatch.setattr(_payload, "policy", policy)
    asked = llm.begin(LlmRequest("chat", "openai", "gpt-4o"), session=session)
    asked.succeed(LlmResponse(tool_call_ids=["call_1", "call_2"]))
    afterwards.tell_tool_call(session, "t", {}, {}, call_id="call_2")
    (link,) = recorder.last.span.links
    assert link.context == asked.span.get_span_context()
    assert dict(link.attributes) == {"sentrial.link": "requested_by"}
    afterwards.tell_tool_call(session, "t", {}, {}, call_id="call_3")
    assert recorder.last.span.links == ()


def test_a_model_call_told_by_hand_asks_for_tools_as_well(recorder: Writing, session: Session) -> None:
    function = {"name": "search", "arguments": "{}"}
    asked = afterwards.tell_llm_call(
        session,
        "gpt-4o",
        output={"role": "assistant", "content": None, "tool_calls": [{"id": "call_9", "function": function}]},
    )
    afterwards.tell_tool_call(session, "search", {}, {}, call_id="call_9")
    (link,) = recorder.last.span.links
    assert link.context == asked.get_span_context()


def test_what_comes_after_the_session_is_marked_late_and_stays_in_it(recorder: Writing, session: Session) -> None:
    root.end_session(session, Ending())
    tell: list[Callable[[], object]] = [
        lambda: afterwards.tell_tool_call(session, "t", {}, {}),
        lambda: afterwards.tell_decision(session, "why"),
        lambda: record_error(session, "what"),
        lambda: afterwards.tell_llm_call(session, "m"),
    ]
    for each in tell:
        each()
        assert recorder.last.attributes["sentrial.late"] is True
        assert recorder.last.attributes["sentrial.session.id"] == session.id
        assert recorder.last.attributes["user.id"] == "u1"
        assert recorder.last.span.parent.span_id == session.context.span_id
        assert recorder.last.span.context.trace_id == session.context.trace_id


def test_off_means_off_for_arguments_results_and_reasoning(
    recorder: Writing, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_payload, "policy", Policy(to_us=False))
    afterwards.tell_tool_call(session, "t", {"a": 1}, {"b": 2}, reasoning="why", estimated_cost=0.5, call_id="c")
    assert recorder.last.attributes == {
        **stamps(session),
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "t",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "c",
        "gen_ai.agent.name": "support",
        "sentrial.event.type": "tool_call",
        "sentrial.estimated_cost": 0.5,
    }


def test_asked_for_on_the_span_content_is_there_for_everybody(
    recorder: Writing, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_payload, "policy", Policy(on_span=True))
    afterwards.tell_tool_call(session, "t", {"a": 1}, {"b": 2}, reasoning="why")
    assert recorder.last.seen["gen_ai.tool.call.arguments"] == '{"a":1}'
    assert recorder.last.seen["gen_ai.tool.call.result"] == '{"b":2}'
    assert recorder.last.seen["sentrial.reasoning"] == "why"


def test_nobody_finds_the_payload_once_the_span_has_ended(recorder: Writing, session: Session) -> None:
    afterwards.tell_tool_call(session, "t", {"a": 1}, {"b": 2})
    assert _payload._ending == {}
