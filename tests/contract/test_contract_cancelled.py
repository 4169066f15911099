"""What holds of tasks that are cancelled while a patched client waits: no failure, and nothing left open."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry.trace import StatusCode

from adapters import ASYNC_ADAPTERS, Adapter
from adapters.fixtures import clients_of
from fake_provider import FakeProvider
from recorder import Recorder
from recorder.reading import assert_left, hold, said, settle

client = clients_of(ASYNC_ADAPTERS)


@pytest.mark.parametrize("begun", [False, True])
async def test_a_cancelled_task_ends_its_stream_as_cancelled(
    client: Adapter, server: FakeProvider, recorder: Recorder, begun: bool
) -> None:
    gate = hold(server, client, client.api.events if begun else 0)
    waiting = asyncio.Event()

    async def consume() -> None:
        stream = await client.stream()
        for _ in range(client.api.steps if begun else 0):
            await client.next(stream)
        waiting.set()
        await client.next(stream)

    task = asyncio.create_task(consume())
    await asyncio.wait_for(waiting.wait(), 30)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    await settle()
    assert_left(recorder, "cancelled")
    if begun:
        assert said(recorder) == client.api.partial
    else:
        assert recorder.output is None


async def test_a_call_cancelled_before_its_answer_is_no_failure(client: Adapter, recorder: Recorder) -> None:
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
