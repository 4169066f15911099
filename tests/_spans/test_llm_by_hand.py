from __future__ import annotations

from collections import namedtuple
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from sentrial import semconv
from sentrial._session import Session
from sentrial._spans import afterwards
from sentrial._spans.llm_by_hand import LlmEvent
from written import Writing


def own(recorder: Writing) -> dict[str, Any]:
    return recorder.last.without("sentrial.session.", "session.", "user.", "gen_ai.conversation")


def user(content: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"type": "text", "content": content}]}


def assistant(content: str) -> dict[str, Any]:
    return {"role": "assistant", "parts": [{"type": "text", "content": content}]}


def test_a_told_call_says_everything(recorder: Writing, session: Session) -> None:
    afterwards.tell_llm_call(
        session,
        "gpt-4o",
        provider="openai",
        input="Where is my order?",
        output="On its way.",
        prompt_tokens=1200,
        completion_tokens=340,
        cached_tokens=200,
        reasoning_tokens=40,
        duration_ms=1_500,
        metadata={"attempt": 2},
    )
    span = recorder.named("chat gpt-4o")
    assert span.span.kind is SpanKind.CLIENT
    assert span.seconds == 1.5
    assert span.status == ("UNSET", None)
    cost = span.attributes.pop("sentrial.estimated_cost")
    assert cost == pytest.approx(0.00615, abs=1e-12)
    assert span.json(semconv.GEN_AI_INPUT_MESSAGES) == [user("Where is my order?")]
    assert span.json(semconv.GEN_AI_OUTPUT_MESSAGES) == [assistant("On its way.")]
    assert span.without("gen_ai.input", "gen_ai.output") == {
        "sentrial.session.id": session.id,
        "session.id": "c1",
        "user.id": "u1",
        "gen_ai.conversation.id": "c1",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 340,
        "gen_ai.usage.cache_read.input_tokens": 200,
        "gen_ai.usage.reasoning.output_tokens": 40,
        "sentrial.event.type": "llm_call",
        "sentrial.metadata.attempt": 2,
    }
    assert "gen_ai.input.messages" not in span.seen
    totals = session.totals
    assert (totals.llm_calls, totals.input_tokens, totals.output_tokens, totals.costs) == (1, 1200, 340, [])


def test_what_is_not_given_is_absent(recorder: Writing, session: Session) -> None:
    afterwards.tell_llm_call(session, "m")
    assert recorder.last.seconds == 0
    assert own(recorder) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "unknown",
        "gen_ai.request.model": "m",
        "sentrial.event.type": "llm_call",
    }
    assert session.totals.input_tokens is None


def test_a_cost_of_the_callers_wins_over_the_price(recorder: Writing, session: Session) -> None:
    afterwards.tell_llm_call(session, "gpt-4o", provider="openai", prompt_tokens=10, estimated_cost=0.5)
    assert recorder.last.attributes["sentrial.estimated_cost"] == 0.5
    assert session.totals.costs == [0.5]
    assert session.totals.calls == []


@pytest.mark.parametrize(
    ("error", "status", "error_type"),
    [
        ("rate limited", "rate limited", "_OTHER"),
        ({"message": "slow down", "type": "rate_limit"}, "slow down", "rate_limit"),
        (TimeoutError("too slow"), "TimeoutError: too slow", "TimeoutError"),
    ],
    ids=repr,
)
def test_a_told_error_makes_the_span_an_error(
    recorder: Writing, session: Session, error: object, status: str, error_type: str
) -> None:
    afterwards.tell_llm_call(session, "m", error=error)
    assert recorder.last.status == ("ERROR", status)
    assert recorder.last.attributes["error.type"] == error_type


@pytest.mark.parametrize("nothing", [None, "", {}, False])
def test_an_error_that_says_nothing_is_none(recorder: Writing, session: Session, nothing: object) -> None:
    afterwards.tell_llm_call(session, "m", error=nothing)
    assert recorder.last.status == ("UNSET", None)


def test_a_live_call_is_current_and_what_it_is_told_is_a_snapshot(recorder: Writing, session: Session) -> None:
    history = [{"role": "user", "content": "before"}]
    answer = {"text": ["before"]}
    with LlmEvent(session, "m", provider="openai", input=history) as call:
        assert trace.get_current_span() is call.span
        history[0]["content"] = "after"
        call.set_output("first")
        call.set_output(answer, finish_reason="stop", response_id="r1")
        answer["text"].append("after")
        call.set_usage(prompt_tokens=1, completion_tokens=2)
        recorder.provider.get_tracer("http").start_span("POST").end()
    post, chat = recorder.spans
    assert post.span.parent.span_id == chat.span.context.span_id
    assert chat.json(semconv.GEN_AI_INPUT_MESSAGES) == [user("before")]
    assert chat.json(semconv.GEN_AI_OUTPUT_MESSAGES) == [{**assistant('{"text":["before"]}'), "finish_reason": "stop"}]
    assert chat.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert chat.attributes["gen_ai.response.id"] == "r1"
    assert chat.attributes["gen_ai.usage.output_tokens"] == 2


def test_every_message_of_an_output_says_why_the_model_ended_it(recorder: Writing, session: Session) -> None:
    with LlmEvent(session, "m", provider="openai") as call:
        call.set_output([{"role": "assistant", "content": text} for text in ("a", "b")], finish_reason="length")
    assert recorder.last.json(semconv.GEN_AI_OUTPUT_MESSAGES) == [
        {**assistant(text), "finish_reason": "length"} for text in ("a", "b")
    ]


def test_an_exception_leaves_the_block_as_it_is(recorder: Writing, session: Session) -> None:
    error = ValueError("no")
    call = LlmEvent(session, "m")
    call.set_output("half")
    with pytest.raises(ValueError, match="no") as caught, call:
        raise error
    assert caught.value is error
    assert recorder.last.status == ("ERROR", "ValueError: no")
    assert recorder.last.json(semconv.GEN_AI_OUTPUT_MESSAGES) == [assistant("half")]


async def test_async_with_is_the_same(recorder: Writing, session: Session) -> None:
    async with LlmEvent(session, "m") as call:
        call.set_output("x")
    assert recorder.last.json(semconv.GEN_AI_OUTPUT_MESSAGES) == [assistant("x")]


def test_bad_tokens_are_kept_as_metadata(recorder: Writing, session: Session, caplog: pytest.LogCaptureFixture) -> None:
    afterwards.tell_llm_call(session, "m", prompt_tokens="many", completion_tokens=7)
    assert recorder.last.attributes["gen_ai.usage.output_tokens"] == 7
    assert "gen_ai.usage.input_tokens" not in recorder.last.attributes
    assert recorder.last.attributes["sentrial.metadata.prompt_tokens"] == "many"
    assert len(caplog.records) == 1


# --- what stands as messages ------------------------------------------------------------------------------------------

Reply = namedtuple("Reply", "role content")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("text", [user("text")]),
        ({"question": "why"}, [user('{"question":"why"}')]),
        (7, [user("7")]),
        ([], [user("[]")]),
        (["a", "b"], [user('["a","b"]')]),
        ({"password": "hunter2"}, [user('{"password":"[masked]"}')]),
        (
            [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi", "name": "ada"}],
            [
                {"role": "system", "parts": [{"type": "text", "content": "be kind"}]},
                {**user("hi"), "name": "ada"},
            ],
        ),
        ({"role": "user", "content": "alone"}, [user("alone")]),
        (
            [{"role": "user", "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                "loose",
            ]}],
            [{"role": "user", "parts": [
                {"type": "text", "content": "look"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                {"type": "text", "content": "loose"},
            ]}],
        ),
        (
            [{"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}},
                {"id": "c2", "function": {"name": "odd", "arguments": "{broken"}},
            ]},
             {"role": "tool", "tool_call_id": "c1", "content": "found"}],
            [
                {"role": "assistant", "parts": [
                    {"type": "tool_call", "name": "search", "arguments": {"q": "x"}, "id": "c1"},
                    {"type": "tool_call", "name": "odd", "arguments": "{broken", "id": "c2"},
                ]},
                {"role": "tool", "parts": [{"type": "tool_call_response", "response": "found", "id": "c1"}]},
            ],
        ),
        (
            [{"role": "user", "parts": [{"type": "text", "content": "as the conventions have it"}]}],
            [user("as the conventions have it")],
        ),
        (
            [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "found"}]}],
            [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "found"}]}],
        ),
        (
            [{"role": "tool", "tool_call_id": "c1", "content": None}],
            [{"role": "tool", "parts": [{"type": "tool_call_response", "response": None, "id": "c1"}]}],
        ),
        ([{"role": "user", "content": {"a": 1}}], [user('{"a":1}')]),
        ([{"role": "user", "content": "a"}, "no message"], [user('[{"role":"user","content":"a"},"no message"]')]),
        ([{"role": 7, "content": "a"}], [user('[{"role":7,"content":"a"}]')]),
    ],
    ids=lambda value: repr(value)[:50],
)  # fmt: skip
def test_inputs_of_all_shapes_are_messages(
    recorder: Writing, session: Session, given: object, expected: object
) -> None:
    afterwards.tell_llm_call(session, "m", input=given)
    assert recorder.last.json(semconv.GEN_AI_INPUT_MESSAGES) == expected


def test_arguments_nested_beyond_measure_are_bounded(recorder: Writing, session: Session) -> None:
    deep = '{"a":' * 900 + "1" + "}" * 900
    calls = [{"id": "c", "function": {"name": "n", "arguments": deep}}]
    afterwards.tell_llm_call(session, "m", output={"role": "assistant", "content": "x", "tool_calls": calls})
    (message,) = recorder.last.json(semconv.GEN_AI_OUTPUT_MESSAGES)
    assert [part["type"] for part in message["parts"]] == ["text", "tool_call"]
    assert "entries left out" in recorder.last.attributes["gen_ai.output.messages"]
