"""What holds of a stream of every patched client: it is the client's own, and its span ends once, however it ends."""

from __future__ import annotations

import asyncio
import copy
import gc
import importlib
import pickle
import weakref
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from adapters import Adapter
from fake_provider import Answer, FakeProvider, events_of, read_reply
from fake_provider.chat_stream import event
from recorder import Recorder
from sentrial._patch import abandoned, install

TEXT = "The parcel left Rotterdam on Tuesday."

# The first chunk has the role and no text; the text comes in four chunks after it.
PARTIAL = TEXT[:10]


def said(recorder: Recorder) -> str:
    """The text of the only answer."""
    (message,) = recorder.output
    return "".join(part["content"] for part in message["parts"])


async def test_a_drained_stream_says_what_the_plain_answer_would(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    stream = await client.stream()
    assert recorder.spans == []
    await client.drain(stream)
    attributes = recorder.attributes
    assert 0 < attributes.pop("gen_ai.response.time_to_first_chunk") < 10
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "sentrial.event.type": "llm_call",
        "sentrial.stream.end": "drained",
        "gen_ai.request.model": "gpt-4.1-mini",
        "gen_ai.request.stream": True,
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
    assert recorder.output == [
        {"role": "assistant", "parts": [{"type": "text", "content": TEXT}], "finish_reason": "stop"}
    ]


async def test_the_chunks_are_those_of_the_unpatched_client(client: Adapter, server: FakeProvider) -> None:
    ours = await client.drain(await client.stream())
    install.uninstall()
    theirs = await client.drain(await client.stream())
    assert ours == theirs
    assert [type(chunk) for chunk in ours] == [type(chunk) for chunk in theirs]
    assert server.requests[0].body == server.requests[1].body


async def test_the_stream_is_the_clients_own_object(client: Adapter, server: FakeProvider) -> None:
    module = importlib.import_module(client.module)
    ours = await client.stream()
    install.uninstall()
    theirs = await client.stream()
    for stream in (ours, theirs):
        assert type(stream) is getattr(module, client.stream_type)
        assert stream.response.status_code == 200
    assert vars(ours).keys() == vars(theirs).keys()
    assert vars(ours.response).keys() == vars(theirs.response).keys()
    assert isinstance(ours._iterator, type(theirs._iterator))
    assert isinstance(ours.response.stream, type(theirs.response.stream))
    assert type(pickle.loads(pickle.dumps(ours.response))) is type(theirs.response)
    assert type(copy.deepcopy(ours.response)) is type(theirs.response)
    assert vars(copy.copy(ours)) == vars(ours)
    await client.close(ours)
    await client.close(theirs)


async def test_tool_calls_are_put_together_from_their_pieces(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(Answer.stream("chat_tools"))
    await client.drain(await client.stream())
    assert recorder.attributes["gen_ai.response.finish_reasons"] == ("tool_call",)
    (message,) = recorder.output
    assert message["parts"] == [
        {"type": "tool_call", "name": "find_order", "arguments": {"number": 4711}, "id": "call_order"},
        {
            "type": "tool_call",
            "name": "weather",
            "arguments": {"city": "Rotterdam", "days": [1, 2]},
            "id": "call_weather",
        },
    ]


async def test_several_choices_are_kept_apart(client: Adapter, server: FakeProvider, recorder: Recorder) -> None:
    server.queue(Answer.stream("chat_choices"))
    await client.drain(await client.stream(n=2))
    assert recorder.attributes["gen_ai.response.finish_reasons"] == ("stop", "length")
    assert [message["parts"][0]["content"] for message in recorder.output] == ["Yes.", "It is on its"]


async def test_tokens_that_were_not_said_are_absent(client: Adapter, server: FakeProvider, recorder: Recorder) -> None:
    server.queue(Answer.stream(usage=False))
    assert len(await client.drain(await client.stream())) == 6
    assert not [key for key in recorder.attributes if key.startswith("gen_ai.usage")]
    assert "stream_options" not in server.requests[0].body


async def test_a_loop_that_breaks_inside_with_closes_the_stream(client: Adapter, recorder: Recorder) -> None:
    async with client.opened(await client.stream()) as stream:
        await client.next(stream)
        await client.take_one(stream)
        assert recorder.spans == []
    assert said(recorder) == PARTIAL
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert recorder.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert recorder.one.status.status_code is StatusCode.UNSET


async def test_a_loop_that_breaks_can_be_taken_up_again(client: Adapter, recorder: Recorder) -> None:
    stream = await client.stream()
    await client.take_one(stream)
    assert recorder.spans == []
    assert len(await client.drain(stream)) == 6
    assert recorder.attributes["sentrial.stream.end"] == "drained"
    assert said(recorder) == TEXT


async def test_closing_ends_the_span_once(client: Adapter, recorder: Recorder) -> None:
    stream = await client.stream()
    await client.next(stream)
    await client.next(stream)
    await client.close(stream)
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert said(recorder) == PARTIAL
    await client.close(stream)
    del stream
    gc.collect()
    abandoned.settle()
    assert len(recorder.spans) == recorder.started == 1


async def test_closing_the_response_below_ends_the_span(client: Adapter, recorder: Recorder) -> None:
    stream = await client.stream()
    await client.next(stream)
    await (stream.response.aclose() if client.is_async else asyncio.to_thread(stream.response.close))
    assert recorder.attributes["sentrial.stream.end"] == "closed"


async def test_a_drained_stream_is_not_ended_again_by_closing(client: Adapter, recorder: Recorder) -> None:
    async with client.opened(await client.stream()) as stream:
        await client.drain(stream)
        assert recorder.attributes["sentrial.stream.end"] == "drained"
    await client.close(stream)
    assert await client.drain(stream) == []
    assert recorder.started == len(recorder.spans) == 1


async def test_a_consumer_that_raises_is_no_failure_of_the_call(client: Adapter, recorder: Recorder) -> None:
    error = KeyError("the consumer's own")

    async def consume() -> None:
        async with client.opened(await client.stream()) as stream:
            await client.next(stream)
            raise error

    with pytest.raises(KeyError) as raised:
        await consume()
    assert raised.value is error
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert recorder.one.status.status_code is StatusCode.UNSET
    assert recorder.one.events == ()


@pytest.mark.parametrize("read", [0, 2])
async def test_a_stream_that_is_let_go_of_ends_when_its_last_chunk_came(
    client: Adapter, recorder: Recorder, read: int
) -> None:
    stream = await client.stream()
    for _ in range(read):
        await client.next(stream)
    alive = weakref.ref(stream)
    del stream
    gc.collect()
    assert alive() is None or client.is_async
    abandoned.settle()
    assert recorder.attributes["sentrial.stream.end"] == "abandoned"
    assert recorder.one.status.status_code is StatusCode.UNSET
    assert (recorder.output is None) == (read == 0)
    assert ("gen_ai.response.time_to_first_chunk" in recorder.attributes) == (read > 0)
    await asyncio.sleep(0)
    gc.collect()
    abandoned.settle()
    assert recorder.started == len(recorder.spans) == 1


async def test_a_stream_that_is_never_read_can_be_closed(client: Adapter, recorder: Recorder) -> None:
    await client.close(await client.stream())
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert recorder.output is None


async def test_streams_that_are_open_when_the_patches_go_are_ended(client: Adapter, recorder: Recorder) -> None:
    stream = await client.stream()
    await client.next(stream)
    await client.next(stream)
    install.uninstall()
    assert recorder.attributes["sentrial.stream.end"] == "abandoned"
    assert said(recorder) == PARTIAL
    assert len(await client.drain(stream)) == 5
    assert recorder.started == 1


async def test_a_refused_stream_is_a_failed_span(client: Adapter, server: FakeProvider, recorder: Recorder) -> None:
    server.queue(Answer.error(400, "not like this"))
    with pytest.raises(Exception, match="not like this"):
        await client.stream()
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["error.type"] == "openai.BadRequestError"
    assert recorder.attributes["gen_ai.request.stream"] is True
    assert "sentrial.stream.end" not in recorder.attributes


async def test_an_error_in_the_stream_keeps_what_came_before(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    events = [*events_of(read_reply("chat_text"))[:2], event({"error": {"message": "overloaded", "code": "x"}})]
    server.queue(Answer(events=events))
    stream = await client.stream()
    with pytest.raises(Exception, match="overloaded") as raised:
        await client.drain(stream)
    assert type(raised.value).__name__ == "APIError"
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["error.type"] == "openai.APIError"
    assert recorder.attributes["sentrial.stream.end"] == "error"
    assert said(recorder) == PARTIAL
    await client.close(stream)


async def test_a_connection_that_is_cut_keeps_what_came_before(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(Answer.stream(cut_after=2), Answer.stream(cut_after=2))
    with pytest.raises(Exception, match=r"\S") as ours:
        await client.drain(await client.stream())
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["error.type"].endswith(type(ours.value).__name__)
    assert recorder.attributes["sentrial.stream.end"] == "error"
    assert said(recorder) == PARTIAL
    install.uninstall()
    with pytest.raises(Exception, match=r"\S") as theirs:
        await client.drain(await client.stream())
    assert type(ours.value) is type(theirs.value)
    assert str(ours.value) == str(theirs.value)


async def test_the_span_is_not_current_between_chunks(client: Adapter, recorder: Recorder) -> None:
    before = otel_context.get_current()
    stream = await client.stream()
    for _ in range(3):
        assert otel_context.get_current() is before
        await client.next(stream)
    with recorder.provider.get_tracer("test").start_as_current_span("the program's own"):
        inside = otel_context.get_current()
        await client.drain(stream)
        assert otel_context.get_current() is inside
    assert otel_context.get_current() is before
    call, own = recorder.spans
    assert (call.name, own.name) == ("chat gpt-4.1-mini", "the program's own")
    assert own.parent is None


async def test_a_stream_can_be_read_and_closed_in_other_tasks(client: Adapter, recorder: Recorder) -> None:
    stream = await asyncio.create_task(client.stream())
    await asyncio.create_task(client.next(stream))
    await client.next(stream)
    await asyncio.create_task(client.close(stream))
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert said(recorder) == PARTIAL
    assert not trace.get_current_span().get_span_context().is_valid


async def test_a_chunk_that_cannot_be_read_costs_the_program_nothing(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    odd: list[dict[str, Any]] = [{"choices": None}, {"choices": [{"delta": None}]}, {"id": "", "choices": []}]
    server.queue(Answer(events=[*map(event, odd), *events_of(read_reply("chat_text"))]))
    assert len(await client.drain(await client.stream())) == 3 + 7
    assert said(recorder) == TEXT
    assert recorder.attributes["gen_ai.response.id"] == "chatcmpl-text-1"
