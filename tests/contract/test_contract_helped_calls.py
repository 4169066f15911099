"""What holds of calls and streams by the helpers of every patched client: one span, whichever reader is used."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry.trace import StatusCode

from adapters import ADAPTERS, ASYNC_ADAPTERS, HELPED_ADAPTERS, Adapter
from fake_provider import FakeProvider
from recorder import Recorder
from recorder.reading import assert_left, closed, expected, hold, said, settle
from sentrial._patch import install


def each_reader_of(adapters: tuple[type[Adapter], ...]) -> pytest.MarkDecorator:
    """Clients of ``adapters``, and each reader of their helpers."""
    pairs = [(adapter, reader) for adapter in adapters for reader in adapter.readers]
    names = [f"{adapter.name} {reader}" for adapter, reader in pairs]
    return pytest.mark.parametrize(("client", "reader"), pairs, ids=names, indirect=["client"])


@each_reader_of(ADAPTERS)
async def test_each_reader_gives_all_that_was_answered_and_one_span_says_it(
    client: Adapter, reader: str, server: FakeProvider, recorder: Recorder
) -> None:
    before = otel_context.get_current()
    async with client.helped_stream() as stream:
        found = await client.read_by(reader, stream)
        assert recorder.attributes["sentrial.stream.end"] == "drained"
        assert otel_context.get_current() is before
    assert client.readers[reader](stream, found) == said(recorder) == client.api.text
    attributes = recorder.attributes
    assert 0 < attributes.pop("gen_ai.response.time_to_first_chunk") < 60
    assert attributes == expected(client, server, **{"gen_ai.request.stream": True, "sentrial.stream.end": "drained"})


@each_reader_of(ADAPTERS)
async def test_each_reader_raises_what_goes_wrong_on_the_way(
    client: Adapter, reader: str, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(*[client.api.stream(cut_after=client.api.events)] * 2)
    with pytest.raises(Exception, match=r"\S") as ours:
        async with client.helped_stream() as stream:
            await client.read_by(reader, stream)
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["sentrial.stream.end"] == "error"
    assert said(recorder) == client.api.partial
    install.uninstall()
    with pytest.raises(Exception, match=r"\S") as theirs:
        async with client.helped_stream() as stream:
            await client.read_by(reader, stream)
    assert type(ours.value) is type(theirs.value)
    assert str(ours.value) == str(theirs.value)


@each_reader_of(ASYNC_ADAPTERS)
async def test_a_task_that_is_cancelled_while_a_reader_waits_is_no_failure(
    client: Adapter, reader: str, server: FakeProvider, recorder: Recorder
) -> None:
    gate = hold(server, client, client.api.events)
    reading = asyncio.Event()

    async def read() -> None:
        async with client.helped_stream() as stream:
            await client.take_one(stream)
            reading.set()
            await client.read_by(reader, stream)

    task = asyncio.create_task(read())
    await asyncio.wait_for(reading.wait(), timeout=30)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    await settle()
    assert_left(recorder, "cancelled")


async def test_what_a_helper_gives_is_what_it_gives_unpatched(client: Adapter, server: FakeProvider) -> None:
    async with client.helped_stream() as ours:
        seen = await client.drain(ours)
    install.uninstall()
    async with client.helped_stream() as theirs:
        assert seen == await client.drain(theirs)
    assert type(ours) is type(theirs)
    assert server.requests[0].body == server.requests[1].body


@pytest.mark.parametrize("raises", [False, True])
async def test_a_helpers_block_that_is_left_ends_the_span_once(
    client: Adapter, recorder: Recorder, raises: bool
) -> None:
    error = KeyError("the consumer's own")

    async def consume() -> None:
        async with client.helped_stream() as stream:
            await client.take_one(stream)
            assert recorder.spans == []
            if raises:
                raise error

    if raises:
        with pytest.raises(KeyError) as raised:
            await consume()
        assert raised.value is error
    else:
        await consume()
    await settle()
    assert_left(recorder, closed(client))


async def test_a_helper_that_is_opened_and_never_read_is_closed(http_client: Adapter, recorder: Recorder) -> None:
    async with http_client.helped_stream():
        assert recorder.spans == []
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert recorder.output is None


async def test_a_helper_that_is_refused_is_a_failed_span(
    telling_client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(telling_client.api.error(400, "not like this"))
    with pytest.raises(Exception, match="not like this"):
        async with telling_client.helped_stream() as stream:
            await telling_client.next(stream)
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes["error.type"] == telling_client.api.errors[400]


async def test_an_error_in_a_helpers_stream_keeps_what_came_before(
    telling_client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(telling_client.api.broken("overloaded"))
    with pytest.raises(Exception, match="overloaded"):
        async with telling_client.helped_stream() as stream:
            await telling_client.drain(stream)
    assert recorder.attributes["error.type"] == telling_client.api.stream_error
    assert recorder.attributes["sentrial.stream.end"] == "error"
    assert said(recorder).startswith(telling_client.api.partial)


@pytest.mark.parametrize("client", HELPED_ADAPTERS, ids=lambda adapter: adapter.name, indirect=True)
async def test_a_helper_that_makes_the_whole_call_is_one_span(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    ours = await client.helped_call()
    assert recorder.attributes == expected(client, server)
    assert said(recorder) == client.api.text_of(ours) == client.api.text
    install.uninstall()
    theirs = await client.helped_call()
    assert type(ours) is type(theirs)
    assert ours == theirs
    assert recorder.started == 1


async def test_twenty_helpers_at_once_do_not_mix(client: Adapter, recorder: Recorder) -> None:
    async def read(number: int) -> list[Any]:
        async with client.helped_stream(model=f"m{number}", question=f"m{number}") as stream:
            await client.next(stream)
            await asyncio.sleep(0)
            return await client.drain(stream)

    await asyncio.gather(*map(read, range(20)))
    for span in recorder.spans:
        (message,) = recorder.content(span)["gen_ai.input.messages"]
        assert span.name == f"{client.api.operation} {message['parts'][0]['content']}"
        assert said(recorder, span) == client.api.text
        assert span.parent is None
    assert len({span.name for span in recorder.spans}) == 20
