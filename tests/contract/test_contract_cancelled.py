"""What holds of tasks that are cancelled while a patched client waits: no failure, and nothing left open."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry.trace import StatusCode

from adapters import ASYNC_ADAPTERS, Adapter
from fake_provider import FakeProvider
from recorder import Recorder
from recorder.reading import hold, said, settle


@pytest.mark.parametrize("adapter", ASYNC_ADAPTERS, ids=lambda adapter: adapter.name)
@pytest.mark.parametrize("begun", [False, True])
async def test_a_cancelled_task_ends_its_stream_as_cancelled(
    adapter: type[Adapter], server: FakeProvider, recorder: Recorder, patched: None, begun: bool
) -> None:
    client = adapter(server.url)
    gate = hold(server, client, client.api.events if begun else 0)
    waiting = asyncio.Event()

    async def consume() -> None:
        stream = await client.stream()
        for _ in range(client.api.steps if begun else 0):
            await client.next(stream)
        waiting.set()
        await client.next(stream)

    task = asyncio.create_task(consume())
    await waiting.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    await settle()
    assert recorder.attributes["sentrial.stream.end"] == "cancelled"
    assert recorder.one.status.status_code is StatusCode.UNSET
    assert recorder.one.events == ()
    if begun:
        assert said(recorder) == client.api.partial
    else:
        assert recorder.output is None
    await client.aclose()


@pytest.mark.parametrize("adapter", ASYNC_ADAPTERS, ids=lambda adapter: adapter.name)
async def test_a_call_cancelled_before_its_answer_is_no_failure(
    adapter: type[Adapter], server: FakeProvider, recorder: Recorder, patched: None
) -> None:
    client = adapter(server.url)
    never_started = asyncio.create_task(client.method(**client.kwargs()))
    never_started.cancel()
    with pytest.raises(asyncio.CancelledError):
        await never_started
    assert recorder.started == 0
    started = asyncio.create_task(client.create())
    while not recorder.started:
        await asyncio.sleep(0)
    started.cancel()
    with pytest.raises(asyncio.CancelledError):
        await started
    assert recorder.one.status.status_code is StatusCode.UNSET
    await client.aclose()
