"""What holds of a call of every patched client: one span, and a program that notices nothing."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from adapters import Adapter
from fake_provider import Answer, FakeProvider, read_reply
from recorder import Recorder
from recorder.fixtures import record_with
from sentrial import _guard, _payload
from sentrial._patch import install
from sentrial._providers import PROVIDERS, openai_chat

QUESTION = [{"role": "user", "parts": [{"type": "text", "content": "Where is my parcel?"}]}]
ANSWER = [
    {
        "role": "assistant",
        "parts": [{"type": "text", "content": "The parcel left Rotterdam on Tuesday."}],
        "finish_reason": "stop",
    }
]


async def test_a_call_is_one_span_with_model_usage_and_content(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    answer = await client.create()
    assert answer.model_dump(exclude_unset=True)["id"] == "chatcmpl-text-1"
    span = recorder.one
    assert (span.name, span.kind, span.status.status_code) == (
        "chat gpt-4.1-mini",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert recorder.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "sentrial.event.type": "llm_call",
        "gen_ai.request.model": "gpt-4.1-mini",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "openai.api.type": "chat_completions",
        "gen_ai.response.id": "chatcmpl-text-1",
        "gen_ai.response.model": "gpt-4.1-mini-2025-04-14",
        "gen_ai.response.finish_reasons": ("stop",),
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_44709d6fcb",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 48,
        "gen_ai.usage.cache_read.input_tokens": 1024,
        "gen_ai.usage.reasoning.output_tokens": 16,
    }
    assert recorder.content() == {"gen_ai.input.messages": QUESTION, "gen_ai.output.messages": ANSWER}


async def test_the_answer_and_the_request_are_those_of_the_unpatched_client(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    ours = await client.create()
    install.uninstall()
    theirs = await client.create()
    assert type(ours) is type(theirs)
    assert ours == theirs
    assert vars(ours).keys() == vars(theirs).keys()
    patched, unpatched = server.requests
    assert patched.body == unpatched.body
    assert patched.headers.keys() == unpatched.headers.keys()
    assert recorder.started == 1


async def test_tool_calls_are_told_with_their_arguments(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(Answer.reply("chat_tools"))
    await client.create()
    assert recorder.attributes["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert recorder.output == [
        {
            "role": "assistant",
            "parts": [
                {"type": "tool_call", "name": "find_order", "arguments": {"number": 4711}, "id": "call_order"},
                {
                    "type": "tool_call",
                    "name": "weather",
                    "arguments": {"city": "Rotterdam", "days": [1, 2]},
                    "id": "call_weather",
                },
            ],
            "finish_reason": "tool_call",
        }
    ]


async def test_several_choices_are_several_messages(client: Adapter, server: FakeProvider, recorder: Recorder) -> None:
    server.queue(Answer.reply("chat_choices"))
    await client.create(n=2)
    assert recorder.attributes["gen_ai.request.choice.count"] == 2
    assert recorder.attributes["gen_ai.response.finish_reasons"] == ("stop", "length")
    assert [(message["parts"][0]["content"], message["finish_reason"]) for message in recorder.output] == [
        ("Yes.", "stop"),
        ("It is on its", "length"),
    ]


@pytest.mark.parametrize(
    ("status", "name"), [(400, "BadRequestError"), (401, "AuthenticationError"), (500, "InternalServerError")]
)
async def test_a_refused_call_raises_what_the_client_raises_and_is_a_failed_span(
    client: Adapter, server: FakeProvider, recorder: Recorder, status: int, name: str
) -> None:
    server.queue(Answer.error(status, "not like this"))
    with pytest.raises(Exception, match="not like this") as raised:
        await client.create()
    assert type(raised.value).__name__ == name
    assert raised.value.__cause__ is None
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["error.type"] == f"openai.{name}"
    assert "gen_ai.response.model" not in recorder.attributes
    assert recorder.content() == {"gen_ai.input.messages": QUESTION}


async def test_a_call_that_is_retried_is_one_span(server: FakeProvider, recorder: Recorder, client: Adapter) -> None:
    patient = type(client)(server.base_url, retries=2)
    server.queue(Answer.error(429, "slower", retry_after_ms="1"), Answer.error(500, "again", retry_after_ms="1"))
    await patient.create()
    await patient.aclose()
    assert len(server.requests) == 3
    assert recorder.one.status.status_code is StatusCode.UNSET
    assert recorder.attributes["gen_ai.usage.input_tokens"] == 1200


async def test_the_span_is_current_while_the_request_is_sent_and_not_after(
    client: Adapter, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    seen = []

    class Current(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(trace.get_current_span().get_span_context().span_id)

    wire, handler = logging.getLogger("openai._base_client"), Current()
    caplog.set_level(logging.DEBUG, logger=wire.name)
    wire.addHandler(handler)
    try:
        before = otel_context.get_current()
        await client.create()
        assert otel_context.get_current() is before
    finally:
        wire.removeHandler(handler)
    assert set(seen) == {recorder.one.get_span_context().span_id}


async def test_a_call_is_a_child_of_what_is_current(client: Adapter, recorder: Recorder) -> None:
    with recorder.provider.get_tracer("test").start_as_current_span("outside"):
        await client.create()
        await client.create()
    first, second, outside = recorder.spans
    assert outside.name == "outside"
    assert first.parent == second.parent == outside.get_span_context()


async def test_twenty_calls_at_once_do_not_mix(client: Adapter, recorder: Recorder) -> None:
    questions = [f"question {number}" for number in range(20)]
    await client.at_once(
        [{"model": question, "messages": [{"role": "user", "content": question}]} for question in questions]
    )
    assert sorted(span.name for span in recorder.spans) == sorted(f"chat {question}" for question in questions)
    for span in recorder.spans:
        (message,) = recorder.content(span)["gen_ai.input.messages"]
        assert span.name == f"chat {message['parts'][0]['content']}"
        assert span.parent is None
    assert not trace.get_current_span().get_span_context().is_valid


async def test_what_happens_to_the_messages_after_the_call_does_not_show(client: Adapter, recorder: Recorder) -> None:
    question: dict[str, Any] = {"role": "user", "content": [{"type": "text", "text": "before"}]}
    messages = [question]
    await client.create(messages=messages)
    question["content"][0]["text"] = "after"
    messages.append({"role": "user", "content": "more"})
    assert recorder.input == [{"role": "user", "parts": [{"type": "text", "content": "before"}]}]


async def test_an_iterator_of_messages_is_the_clients_to_use_up(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    await client.create(messages=(message for message in [{"role": "user", "content": "once"}]))
    assert server.requests[0].body["messages"] == [{"role": "user", "content": "once"}]
    assert recorder.input is None
    assert recorder.output == ANSWER
    assert recorder.attributes["gen_ai.usage.output_tokens"] == 48


async def test_without_content_names_and_numbers_stay(
    client: Adapter, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_payload, "policy", _payload.Policy(to_us=False))
    await client.create()
    assert recorder.content() == {}
    assert recorder.attributes["gen_ai.usage.input_tokens"] == 1200


async def test_an_unsampled_call_is_made_and_not_recorded(client: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Recorder(ALWAYS_OFF)
    record_with(silent, monkeypatch)
    assert (await client.create()).id == "chatcmpl-text-1"
    assert len(await client.drain(await client.stream())) == 7
    assert (silent.started, silent.spans) == (0, [])


@pytest.mark.parametrize("key", [_SUPPRESS_INSTRUMENTATION_KEY, "suppress_instrumentation"])
async def test_a_suppressed_call_is_not_recorded(client: Adapter, recorder: Recorder, key: str) -> None:
    token = otel_context.attach(otel_context.set_value(key, True))
    try:
        assert (await client.create()).id == "chatcmpl-text-1"
        assert len(await client.drain(await client.stream())) == 7
    finally:
        otel_context.detach(token)
    assert recorder.started == 0
    await client.create()
    assert recorder.started == 1


@pytest.mark.quiet_guard
@pytest.mark.parametrize("reader", ["read_request", "read_response", "make_accumulator"])
async def test_a_reader_that_raises_costs_the_program_nothing(
    client: Adapter, server: FakeProvider, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("this reader is broken")

    install.uninstall()
    monkeypatch.setattr(install, "_patches", {})
    install.install(None, [_changed(openai_chat.PROVIDER, **{reader: broken})])
    try:
        server.queue(Answer.reply(), Answer.stream(), Answer.error(400, "their own words"))
        assert (await client.create()).choices[0].message.content == "The parcel left Rotterdam on Tuesday."
        assert len(await client.drain(await client.stream())) == 7
        with pytest.raises(Exception, match="their own words"):
            await client.create()
    finally:
        install.uninstall()
    assert len(recorder.spans) == recorder.started == 3
    assert recorder.spans[2].status.status_code is StatusCode.ERROR
    assert sum(_guard.failures.values()) >= 1


@pytest.mark.quiet_guard
async def test_a_span_processor_that_raises_costs_the_program_nothing(
    client: Adapter, server: FakeProvider, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("this processor is broken")

    monkeypatch.setattr(recorder, "on_end", broken)
    assert (await client.create()).id == "chatcmpl-text-1"
    monkeypatch.setattr(recorder, "on_start", broken)
    assert (await client.create()).id == "chatcmpl-text-1"
    server.queue(Answer.error(400, "their own words"))
    with pytest.raises(Exception, match="their own words"):
        await client.create()


async def test_an_answer_that_is_no_completion_is_still_the_programs(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    reply = {**read_reply("chat_text"), "choices": None, "usage": None, "model": None, "id": None}
    server.queue(Answer(body=reply), Answer(body={}))
    assert (await client.create()).choices is None
    assert (await client.create()).object is None
    assert [span.status.status_code for span in recorder.spans] == [StatusCode.UNSET] * 2
    assert not [key for span in recorder.spans for key in span.attributes or {} if key.startswith("gen_ai.usage")]


def _changed(provider: Any, **changes: Any) -> Any:
    import dataclasses

    assert provider in PROVIDERS
    return dataclasses.replace(provider, **changes)
