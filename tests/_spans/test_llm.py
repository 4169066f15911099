from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from sentrial import _payload, _session, semconv
from sentrial._payload import Policy
from sentrial._session import Session
from sentrial._spans import llm, root
from sentrial._spans.root import Ending, Opening
from sentrial.types import Deferred, LlmRequest, LlmResponse, Message, Part, Usage
from written import Writing

REQUEST = LlmRequest(
    operation="chat",
    provider="openai",
    model="gpt-4o",
    stream=True,
    server_address="api.openai.com",
    server_port=443,
    max_tokens=100,
    temperature=0.5,
    top_p=0.9,
    top_k=40,
    stop_sequences=["END", "STOP"],
    frequency_penalty=0.1,
    presence_penalty=0.2,
    seed=7,
    choice_count=2,
    reasoning_level="high",
    output_type="json",
    api_type="chat_completions",
    service_tier="flex",
    previous_response_id="resp_0",
    conversation_id="conv_1",
    prompt_name="pmpt_1",
    prompt_version="3",
    guardrail_id="gr-1",
)
RESPONSE = LlmResponse(
    id="chatcmpl-1",
    model="gpt-4o-2024-11-20",
    finish_reasons=("stop", "length"),
    usage=Usage(1200, 340, 200, 50, 60, 1000, 130, 70, 200, 60, 80, 150, 30, 20),
    service_tier="default",
    system_fingerprint="fp_1",
    compacted=True,
)


def read_messages(value: list[dict[str, Any]]) -> list[Message]:
    return [Message(item["role"], [Part.text(item["content"])]) for item in value]


def messages(*contents: str) -> Deferred[Any]:
    return Deferred([{"role": "user", "content": content} for content in contents], read_messages)


def test_a_request_is_on_the_span_when_it_starts(recorder: Writing) -> None:
    call = llm.begin(REQUEST)
    assert dict(call.span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.stream": True,
        "server.address": "api.openai.com",
        "server.port": 443,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 40,
        "gen_ai.request.stop_sequences": ("END", "STOP"),
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": 0.2,
        "gen_ai.request.seed": 7,
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.reasoning.level": "high",
        "gen_ai.output.type": "json",
        "openai.api.type": "chat_completions",
        "openai.request.service_tier": "flex",
        "gen_ai.request.previous_response.id": "resp_0",
        "gen_ai.conversation.id": "conv_1",
        "gen_ai.prompt.name": "pmpt_1",
        "gen_ai.prompt.version": "3",
        "aws.bedrock.guardrail.id": "gr-1",
        "sentrial.event.type": "llm_call",
    }
    assert call.span.name == "chat gpt-4o"
    assert call.span.kind is SpanKind.CLIENT
    call.succeed(None)


def test_a_response_is_added_when_it_has_come(recorder: Writing) -> None:
    llm.begin(LlmRequest("chat", "openai", "gpt-4o")).succeed(RESPONSE)
    span = recorder.named("chat gpt-4o")
    assert span.status == ("UNSET", None)
    assert {key: value for key, value in span.seen.items() if "request" not in key} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4o-2024-11-20",
        "gen_ai.response.finish_reasons": ["stop", "length"],
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_1",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 340,
        "gen_ai.usage.cache_read.input_tokens": 200,
        "gen_ai.usage.cache_write.input_tokens": 50,
        "gen_ai.usage.reasoning.output_tokens": 60,
        "gen_ai.usage.text.input_tokens": 1000,
        "gen_ai.usage.image.input_tokens": 130,
        "gen_ai.usage.audio.input_tokens": 70,
        "gen_ai.usage.text.output_tokens": 200,
        "gen_ai.usage.image.output_tokens": 60,
        "gen_ai.usage.audio.output_tokens": 80,
        "gen_ai.usage.text.cache_read.input_tokens": 150,
        "gen_ai.usage.image.cache_read.input_tokens": 30,
        "gen_ai.usage.audio.cache_read.input_tokens": 20,
        "gen_ai.conversation.compacted": True,
        "sentrial.event.type": "llm_call",
    }


def test_embeddings_say_their_formats_and_their_size(recorder: Writing) -> None:
    call = llm.begin(LlmRequest("embeddings", "openai", "e", encoding_formats=["base64"]))
    call.succeed(LlmResponse(model="e", usage=Usage(8), dimension_count=256))
    seen = recorder.named("embeddings e").seen
    assert seen["gen_ai.request.encoding_formats"] == ["base64"]
    assert seen["gen_ai.embeddings.dimension.count"] == 256
    assert seen["gen_ai.usage.input_tokens"] == 8
    assert "gen_ai.usage.output_tokens" not in seen


def test_a_stored_answer_that_is_fetched_says_which_and_counts_as_no_call(recorder: Writing) -> None:
    session = root.open_session(Opening(agent_name="agent", user_id="ann"), nested=True)
    request = LlmRequest("fetch_response", "openai", response_id="resp_1", stream_cursor="7")
    llm.begin(request, session=session).succeed(LlmResponse(id="resp_1", status="completed"))
    root.end_session(session, Ending())
    seen = recorder.named("fetch_response").seen
    assert seen["gen_ai.response.id"] == "resp_1"
    assert seen["gen_ai.request.stream_cursor"] == "7"
    assert seen["gen_ai.response.status"] == "completed"
    assert recorder.named("invoke_agent agent").seen["sentrial.session.llm_calls"] == 0


def test_an_answer_that_reports_a_failure_fails_the_call(recorder: Writing) -> None:
    error = {"type": "server_error", "message": "The model is out of order."}
    llm.begin(LlmRequest("chat", "openai", "m")).succeed(LlmResponse(id="resp_1", error=error))
    span = recorder.named("chat m")
    assert span.status == ("ERROR", "The model is out of order.")
    assert (span.seen["error.type"], span.seen["gen_ai.response.id"]) == ("server_error", "resp_1")


def test_instructions_and_the_variables_of_a_prompt_are_content(recorder: Writing) -> None:
    system = Deferred(["Be short."], lambda value: [Part.text(text) for text in value])
    request = LlmRequest("chat", "openai", "m", system=system, prompt_variables={"city": "Bern"})
    llm.begin(request).succeed(None)
    span = recorder.named("chat m")
    assert not any("instructions" in key or "variable" in key for key in span.seen)
    assert json.loads(span.attributes["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be short."}]
    assert span.attributes["gen_ai.prompt.variable.city"] == "Bern"


def test_what_was_not_said_is_absent(recorder: Writing) -> None:
    llm.begin(LlmRequest("embeddings", "openai")).succeed(LlmResponse(usage=Usage(input_tokens=0, cache_read_tokens=0)))
    span = recorder.named("embeddings")
    assert span.attributes == {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 0,
        "sentrial.event.type": "llm_call",
    }


def test_content_lies_beside_the_span(recorder: Writing) -> None:
    tools = Deferred([{"type": "function", "name": "login", "parameters": {"password": {"type": "string"}}}], list)
    given = messages("before", "password=hunter2")
    call = llm.begin(LlmRequest("chat", "openai", "m", input=given, tools=tools))
    given.value[0]["content"] = "after"
    given.value.append("after")
    call.succeed(LlmResponse(output=messages("answer")))
    span = recorder.last
    assert span.json(semconv.GEN_AI_INPUT_MESSAGES) == [
        {"role": "user", "parts": [{"type": "text", "content": "before"}]},
        {"role": "user", "parts": [{"type": "text", "content": "password=[masked]"}]},
    ]
    assert span.json(semconv.GEN_AI_OUTPUT_MESSAGES) == [
        {"role": "user", "parts": [{"type": "text", "content": "answer"}]}
    ]
    assert span.json(semconv.GEN_AI_TOOL_DEFINITIONS) == tools.value
    assert span.attributes["sentrial.masked"] == 1
    assert set(span.attributes) - set(span.seen) == {
        "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions", "sentrial.masked",
    }  # fmt: skip


def test_off_means_off_and_the_rest_stays(recorder: Writing, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_payload, "policy", Policy(to_us=False))

    def never(value: object) -> Any:
        raise AssertionError("read")

    request = LlmRequest("chat", "openai", "gpt-4o", input=Deferred("x", never), tools=Deferred("x", never))
    call = llm.begin(request, session=session)
    call.succeed(LlmResponse(usage=Usage(1200, 340, 200), output=Deferred("x", never), tool_call_ids=["c"]))
    assert not {key for key in recorder.last.attributes if "messages" in key or "definitions" in key}
    assert recorder.last.attributes["gen_ai.usage.input_tokens"] == 1200
    assert recorder.last.attributes["sentrial.estimated_cost"] == pytest.approx(0.00615)
    assert session.requested_by == {"c": call.span.get_span_context()}


def test_a_failure_keeps_what_came_before_it(recorder: Writing) -> None:
    call = llm.begin(LlmRequest("chat", "openai", "m"))
    error = TimeoutError("too slow")
    call.fail(error, LlmResponse(id="r1", output=messages("half an ans")), stream_end=llm.STREAM_ERROR)
    span = recorder.last
    assert span.status == ("ERROR", "TimeoutError: too slow")
    assert span.attributes["error.type"] == "TimeoutError"
    assert span.attributes["gen_ai.response.id"] == "r1"
    assert span.attributes["sentrial.stream.end"] == "error"
    assert "half an ans" in span.attributes["gen_ai.output.messages"]
    assert [name for name, _ in span.events] == ["exception"]


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit()])
def test_cancellation_is_no_failure(recorder: Writing, error: BaseException) -> None:
    llm.begin(LlmRequest("chat", "openai", "m")).fail(error)
    assert recorder.last.status == ("UNSET", None)
    assert recorder.last.attributes["sentrial.stream.end"] == "cancelled"
    assert "error.type" not in recorder.last.attributes


def test_the_first_chunk_is_timed_and_only_that(recorder: Writing) -> None:
    before = time.perf_counter()
    call = llm.begin(LlmRequest("chat", "openai", "m", stream=True))
    call.mark_chunk()
    came = time.perf_counter()
    time.sleep(0.01)
    call.mark_chunk()
    call.succeed(None, stream_end=llm.STREAM_DRAINED)
    # Not held against the span's own length: the clock of the day, which that is of, may be set back meanwhile.
    assert 0 <= recorder.last.attributes["gen_ai.response.time_to_first_chunk"] <= came - before
    assert recorder.last.attributes["sentrial.stream.end"] == "drained"


def test_a_call_ends_once(recorder: Writing, session: Session) -> None:
    call = llm.begin(LlmRequest("chat", "openai", "m"), session=session)
    call.succeed(LlmResponse(id="first"))
    call.succeed(LlmResponse(id="second"))
    call.fail(ValueError("third"))
    assert [span.attributes["gen_ai.response.id"] for span in recorder.spans] == ["first"]
    assert recorder.last.status == ("UNSET", None)
    assert session.totals.llm_calls == 1


def test_a_call_lands_in_the_current_session_and_outside_in_none(recorder: Writing, session: Session) -> None:
    llm.begin(LlmRequest("chat", "openai", "outside")).succeed(None)
    activation = _session.activate(session)
    llm.begin(LlmRequest("chat", "openai", "inside")).succeed(LlmResponse(usage=Usage(10, None)))
    activation.leave()
    outside, inside = recorder.named("chat outside"), recorder.named("chat inside")
    assert outside.span.parent is None
    assert "sentrial.session.id" not in outside.attributes
    assert inside.span.parent.span_id == session.context.span_id
    assert inside.attributes["sentrial.session.id"] == session.id
    assert inside.attributes["gen_ai.conversation.id"] == "c1"
    assert (session.totals.llm_calls, session.totals.input_tokens, session.totals.output_tokens) == (1, 10, None)


def test_what_the_client_starts_nests_under_the_call(recorder: Writing, session: Session) -> None:
    call = llm.begin(LlmRequest("chat", "openai", "m"), session=session)
    activation = _session.Activation(call.context)
    recorder.provider.get_tracer("http").start_span("POST").end()
    activation.leave()
    assert trace.get_current_span().get_span_context().is_valid is False
    call.succeed(None)
    post, chat = recorder.spans
    assert post.span.parent.span_id == chat.span.context.span_id
    assert post.attributes["sentrial.session.id"] == session.id


def test_a_call_that_outlives_its_session_is_late(recorder: Writing, session: Session) -> None:
    call = llm.begin(LlmRequest("chat", "openai", "m"), session=session)
    root.end_session(session, Ending())
    call.succeed(None)
    assert recorder.last.attributes["sentrial.late"] is True
    assert recorder.last.attributes["sentrial.session.id"] == session.id


def test_given_times_are_the_spans(recorder: Writing) -> None:
    now = time.time_ns()
    llm.begin(LlmRequest("chat", "openai", "m"), start_time=now - 2_000_000_000).succeed(None, end_time=now)
    assert recorder.last.seconds == 2.0


@pytest.mark.quiet_guard
def test_a_reader_that_fails_costs_its_own_attribute_only(recorder: Writing) -> None:
    def fail(value: object) -> Any:
        raise KeyError("shape")

    request = LlmRequest("chat", "openai", "m", input=Deferred("x", fail), tools=Deferred([{"name": "t"}], list))
    llm.begin(request).succeed(RESPONSE)
    assert "gen_ai.input.messages" not in recorder.last.attributes
    assert json.loads(recorder.last.attributes["gen_ai.tool.definitions"]) == [{"name": "t"}]
    assert recorder.last.attributes["gen_ai.response.id"] == "chatcmpl-1"


def test_what_programs_and_services_say_can_be_exported_by_anybody(recorder: Writing) -> None:
    odd, whole = "a\ud83d\ude00b\ud83d", "a\U0001f600b\ufffd"
    call = llm.begin(LlmRequest("chat", "openai", odd, stop_sequences=[odd], conversation_id=odd))
    call.succeed(LlmResponse(id=odd, model=odd, finish_reasons=[odd]))
    attributes = recorder.named(f"chat {whole}").seen
    assert attributes[semconv.GEN_AI_REQUEST_STOP_SEQUENCES] == attributes[semconv.GEN_AI_RESPONSE_FINISH_REASONS]
    assert list(attributes[semconv.GEN_AI_RESPONSE_FINISH_REASONS]) == [whole]
    names = (
        semconv.GEN_AI_REQUEST_MODEL,
        semconv.GEN_AI_CONVERSATION_ID,
        semconv.GEN_AI_RESPONSE_ID,
        semconv.GEN_AI_RESPONSE_MODEL,
    )
    assert [attributes[name] for name in names] == [whole] * 4
