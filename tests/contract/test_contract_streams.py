"""What holds of a stream of every patched client: it is the client's own, and its span ends once, however it ends."""

from __future__ import annotations

import asyncio
import copy
import importlib
import pickle
import weakref
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from adapters import Adapter, ResponseAdapter
from fake_provider import FakeProvider
from recorder import Recorder
from recorder.reading import assert_left, closed, expected, said, settle, tools_asked_for
from sentrial._patch import install


async def begin(client: Adapter, **changes: Any) -> Any:
    """A stream, read until the first words have come."""
    stream = await client.stream(**changes)
    for _ in range(client.api.steps):
        await client.next(stream)
    return stream


async def test_a_drained_stream_says_what_the_plain_answer_would(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    stream = await client.stream()
    assert recorder.spans == []
    await client.drain(stream)
    attributes = recorder.attributes
    assert 0 < attributes.pop("gen_ai.response.time_to_first_chunk") < 60
    assert attributes == expected(client, server, **{"gen_ai.request.stream": True, "sentrial.stream.end": "drained"})
    assert said(recorder) == client.api.text


async def test_the_chunks_are_those_of_the_unpatched_client(client: Adapter, server: FakeProvider) -> None:
    ours = await client.drain(await client.stream())
    install.uninstall()
    theirs = await client.drain(await client.stream())
    assert ours == theirs
    assert [type(chunk) for chunk in ours] == [type(chunk) for chunk in theirs]
    assert server.requests[0].body == server.requests[1].body


def byte_stream(kind: type) -> type:
    """The class of byte streams, of the HTTP client that is used, which ``kind`` is one of."""
    return next(each for each in kind.__mro__ if each.__name__ in ("SyncByteStream", "AsyncByteStream"))


async def test_the_stream_is_the_clients_own_object(http_client: Adapter, server: FakeProvider) -> None:
    client = http_client
    module = importlib.import_module(client.module)
    ours = await begin(client)
    install.uninstall()
    theirs = await begin(client)
    for stream in (ours, theirs):
        assert type(stream) is getattr(module, client.stream_type)
        assert stream.response.status_code == 200
    assert vars(ours).keys() == vars(theirs).keys()
    assert vars(ours.response).keys() == vars(theirs.response).keys()
    assert isinstance(ours._iterator, type(theirs._iterator))
    # Not the very class: a client that makes spans of its own puts one there, and ours stand for those.
    assert isinstance(ours.response.stream, byte_stream(type(theirs.response.stream)))
    assert type(pickle.loads(pickle.dumps(ours.response))) is type(theirs.response)
    assert type(copy.deepcopy(ours.response)) is type(theirs.response)
    assert vars(copy.copy(ours)) == vars(ours)
    await client.close(ours)
    await client.close(theirs)


async def test_tool_calls_are_put_together_from_their_pieces(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(client.api.tools_stream())
    await client.drain(await client.stream())
    assert recorder.attributes["gen_ai.response.finish_reasons"] == (client.api.finish_of_tools,)
    assert tools_asked_for(recorder) == client.api.tool_calls


async def test_a_loop_that_breaks_inside_with_closes_the_stream(
    http_client: ResponseAdapter, recorder: Recorder
) -> None:
    async with http_client.opened(await http_client.stream()) as stream:
        for _ in range(http_client.api.steps - 1):
            await http_client.next(stream)
        await http_client.take_one(stream)
        assert recorder.spans == []
    assert said(recorder) == http_client.api.partial
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert recorder.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert recorder.one.status.status_code is StatusCode.UNSET


async def test_a_loop_that_breaks_outside_of_with_ends_it_once(client: Adapter, recorder: Recorder) -> None:
    await client.take_one(await client.stream())
    await settle()
    assert recorder.attributes["sentrial.stream.end"] == "abandoned"
    assert recorder.one.status.status_code is StatusCode.UNSET


async def test_a_loop_that_breaks_can_be_taken_up_again(http_client: Adapter, recorder: Recorder) -> None:
    stream = await http_client.stream()
    await http_client.take_one(stream)
    assert recorder.spans == []
    assert len(await http_client.drain(stream)) == http_client.api.chunks - 1
    assert recorder.attributes["sentrial.stream.end"] == "drained"
    assert said(recorder) == http_client.api.text


async def test_closing_ends_the_span_once(client: Adapter, recorder: Recorder) -> None:
    stream = await begin(client)
    await client.close(stream)
    await settle()
    assert recorder.attributes["sentrial.stream.end"] == closed(client)
    assert said(recorder) == client.api.partial
    await client.close(stream)
    del stream
    await settle()
    assert len(recorder.spans) == recorder.started == 1


async def test_closing_the_response_below_ends_the_span(http_client: Adapter, recorder: Recorder) -> None:
    response = (stream := await begin(http_client)).response
    await (response.aclose() if http_client.is_async else asyncio.to_thread(response.close))
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    await http_client.close(stream)


async def test_a_drained_stream_is_not_ended_again_by_closing(client: Adapter, recorder: Recorder) -> None:
    stream = await client.stream()
    await client.drain(stream)
    assert recorder.attributes["sentrial.stream.end"] == "drained"
    await client.close(stream)
    assert await client.drain(stream) == []
    assert recorder.started == len(recorder.spans) == 1


async def test_a_consumer_that_raises_is_no_failure_of_the_call(client: Adapter, recorder: Recorder) -> None:
    error = KeyError("the consumer's own")

    async def consume() -> None:
        stream = await begin(client)
        try:
            raise error
        finally:
            await client.close(stream)

    with pytest.raises(KeyError) as raised:
        await consume()
    assert raised.value is error
    await settle()
    assert_left(recorder, closed(client))


async def test_a_stream_that_is_let_go_of_ends_when_its_last_chunk_came(client: Adapter, recorder: Recorder) -> None:
    stream = await begin(client)
    alive = weakref.ref(stream)
    del stream
    await settle()
    assert alive() is None or client.is_async
    assert recorder.attributes["sentrial.stream.end"] == "abandoned"
    assert recorder.one.status.status_code is StatusCode.UNSET
    assert said(recorder) == client.api.partial
    assert "gen_ai.response.time_to_first_chunk" in recorder.attributes
    await settle()
    assert recorder.started == len(recorder.spans) == 1


@pytest.mark.parametrize("is_closed", [True, False])
async def test_a_stream_that_is_never_read_says_nothing(
    http_client: Adapter, recorder: Recorder, is_closed: bool
) -> None:
    stream = await http_client.stream()
    if is_closed:
        await http_client.close(stream)
    del stream
    await settle()
    assert recorder.attributes["sentrial.stream.end"] == ("closed" if is_closed else "abandoned")
    assert recorder.output is None
    assert "gen_ai.response.time_to_first_chunk" not in recorder.attributes


async def test_a_generator_that_is_never_run_asks_for_nothing(
    generating_client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    stream = await generating_client.stream()
    await generating_client.close(stream)
    del stream
    await settle()
    assert recorder.started == len(recorder.spans) == len(server.requests)
    assert [span.status.status_code for span in recorder.spans] == [StatusCode.UNSET] * len(recorder.spans)


async def test_streams_that_are_open_when_the_patches_go_are_ended(client: Adapter, recorder: Recorder) -> None:
    stream = await begin(client)
    install.uninstall()
    assert recorder.attributes["sentrial.stream.end"] == "abandoned"
    assert said(recorder) == client.api.partial
    assert len(await client.drain(stream)) == client.api.chunks - client.api.steps
    assert recorder.started == 1


async def test_a_refused_stream_is_a_failed_span(
    telling_client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(telling_client.api.error(400, "not like this"))
    with pytest.raises(Exception, match="not like this"):
        # A generator asks when it is first read.
        await telling_client.next(await telling_client.stream())
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["error.type"] == telling_client.api.errors[400]
    assert recorder.attributes["gen_ai.request.stream"] is True
    assert recorder.output is None


async def test_an_error_in_the_stream_keeps_what_came_before(
    telling_client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(*[telling_client.api.broken("overloaded")] * 2)
    with pytest.raises(Exception, match="overloaded") as ours:
        await telling_client.drain(await telling_client.stream())
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["error.type"] == telling_client.api.stream_error
    assert recorder.attributes["sentrial.stream.end"] == "error"
    assert said(recorder).startswith(telling_client.api.partial)
    install.uninstall()
    with pytest.raises(Exception, match="overloaded") as theirs:
        await telling_client.drain(await telling_client.stream())
    assert type(ours.value) is type(theirs.value)
    assert str(ours.value) == str(theirs.value)


async def test_a_connection_that_is_cut_keeps_what_came_before(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(*[client.api.stream(cut_after=client.api.events)] * 2)
    with pytest.raises(Exception, match=r"\S") as ours:
        await client.drain(await client.stream())
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["error.type"].endswith(type(ours.value).__name__)
    assert recorder.attributes["sentrial.stream.end"] == "error"
    assert said(recorder) == client.api.partial
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
    assert (call.name, own.name) == (f"{client.api.operation} {client.api.model}", "the program's own")
    assert own.parent is None


async def test_a_stream_can_be_read_and_closed_in_other_tasks(client: Adapter, recorder: Recorder) -> None:
    stream = await asyncio.create_task(client.stream())
    await asyncio.create_task(client.next(stream))
    for _ in range(client.api.steps - 1):
        await client.next(stream)
    await asyncio.create_task(client.close(stream))
    await settle()
    assert recorder.attributes["sentrial.stream.end"] == closed(client)
    assert said(recorder) == client.api.partial
    assert not trace.get_current_span().get_span_context().is_valid


async def test_a_call_between_chunks_is_a_span_of_its_own(client: Adapter, recorder: Recorder) -> None:
    stream = await begin(client)
    await client.create(model="between")
    await client.drain(stream)
    between, streamed = recorder.spans
    assert between.name == f"{client.api.operation} between"
    assert between.parent is None
    assert (streamed.attributes or {})["sentrial.stream.end"] == "drained"


async def test_twenty_streams_at_once_do_not_mix(client: Adapter, recorder: Recorder) -> None:
    async def read(number: int) -> list[Any]:
        return await client.drain(await client.stream(model=f"m{number}", question=f"m{number}"))

    for chunks in await asyncio.gather(*map(read, range(20))):
        assert len(chunks) == client.api.chunks
    for span in recorder.spans:
        (message,) = recorder.content(span)["gen_ai.input.messages"]
        assert span.name == f"{client.api.operation} {message['parts'][0]['content']}"
        assert said(recorder, span) == client.api.text
    assert len({span.name for span in recorder.spans}) == 20
