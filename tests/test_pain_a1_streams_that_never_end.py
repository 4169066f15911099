"""Pain A1: a stream is one span that ends once, with what had come by then, however the program leaves it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, closing
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from adapters import ADAPTERS, Adapter
from adapters.fixtures import clients_of
from fake_provider import FakeProvider
from recorder import Recorder
from recorder.fixtures import patched, recorder, server
from recorder.reading import hold, said, settle

__all__ = ["patched", "recorder", "server"]


client = clients_of(ADAPTERS)


@pytest.fixture(autouse=True)
def no_word_of_ended_spans(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """OpenTelemetry warns of what is written to a span that has ended, and of one that is ended twice."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record.message for record in caplog.records if record.name.startswith(("opentelemetry", "sentrial"))] == []


async def begun(client: Adapter) -> Any:
    """A stream of which the first words have come."""
    stream = await client.stream()
    for _ in range(client.api.steps):
        await client.next(stream)
    return stream


@asynccontextmanager
async def entered(client: Any, stream: Any) -> AsyncIterator[Any]:
    """``with stream``; a generator is no context manager, and needs one around it."""
    if client.has_response:
        async with client.opened(stream) as inside:
            yield inside
    elif client.is_async:
        async with aclosing(stream):
            yield stream
    else:
        with closing(stream):
            yield stream


# --- the ways to leave a stream --------------------------------------------------------------------------------------


async def drain(client: Adapter, server: FakeProvider) -> None:
    await client.drain(await client.stream())


async def break_in_with(client: Adapter, server: FakeProvider) -> None:
    async with entered(client, await client.stream()) as stream:
        for _ in range(client.api.steps - 1):
            await client.next(stream)
        await client.take_one(stream)


async def close(client: Adapter, server: FakeProvider) -> None:
    await client.close(await begun(client))


async def raise_in_the_loop(client: Adapter, server: FakeProvider) -> None:
    async def consume() -> None:
        await begun(client)
        raise KeyError("the consumer's own")

    with pytest.raises(KeyError, match="the consumer's own"):
        await consume()


async def raise_in_with(client: Adapter, server: FakeProvider) -> None:
    with pytest.raises(KeyError, match="the consumer's own"):
        async with entered(client, await begun(client)):
            raise KeyError("the consumer's own")


async def cancel_the_task(client: Adapter, server: FakeProvider) -> None:
    """An async client is cancelled while it waits for a chunk, a sync one's consumer between two of them."""
    gate = hold(server, client, client.api.events)
    waiting = asyncio.Event()

    async def consume() -> None:
        stream = await begun(client)
        waiting.set()
        await (client.next(stream) if client.is_async else asyncio.Event().wait())

    task = asyncio.create_task(consume())
    await waiting.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()


async def let_go(client: Adapter, server: FakeProvider) -> None:
    stream = await begun(client)
    del stream


LEFT: dict[str, Callable[[Adapter, FakeProvider], Awaitable[None]]] = {
    "break in with": break_in_with,
    "closed": close,
    "exception in the consumer": raise_in_the_loop,
    "exception in with": raise_in_with,
    "cancelled task": cancel_the_task,
    "let go of": let_go,
}


# --- what each leaves behind -----------------------------------------------------------------------------------------


async def test_pain_a1_a_stream_that_is_drained_is_one_span_with_all_of_it(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    await drain(client, server)
    assert said(recorder) == client.api.text
    assert recorder.attributes["sentrial.stream.end"] == "drained"
    await settle()
    assert recorder.one.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("way", LEFT.values(), ids=LEFT)
async def test_pain_a1_a_stream_that_is_left_midway_is_one_span_with_what_had_come(
    client: Adapter,
    server: FakeProvider,
    recorder: Recorder,
    way: Callable[[Adapter, FakeProvider], Awaitable[None]],
) -> None:
    await way(client, server)
    await settle()
    assert said(recorder) == client.api.partial
    assert recorder.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert recorder.attributes["sentrial.stream.end"] in ("closed", "cancelled", "abandoned")
    assert recorder.one.status.status_code is StatusCode.UNSET
    assert recorder.one.events == ()
    await settle()
    assert recorder.started == len(recorder.spans) == len(server.requests) == 1


async def test_pain_a1_a_stream_that_is_never_iterated_is_one_span_without_an_answer(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    stream = await client.stream()
    del stream
    await settle()
    # A generator asks for nothing until it is run, and then there is nothing to tell.
    assert len(server.requests) == (1 if client.has_response else recorder.started)
    assert recorder.started == len(recorder.spans) == len(server.requests)
    assert [recorder.content(span).get("gen_ai.output.messages") for span in recorder.spans] == [
        None
    ] * recorder.started
    assert {span.status.status_code for span in recorder.spans} <= {StatusCode.UNSET}
