"""Streams that nobody ends, and the collector that says so at the worst of moments."""

from __future__ import annotations

import gc
import os
import threading
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from adapters import Adapter
from adapters.openai_chat import OpenAiChat
from fake_provider import FakeProvider
from own_client import describe
from recorder import Recorder
from recorder.garbage import collect
from sentrial._patch import abandoned, install
from sentrial._patch.call import begin
from sentrial._providers import PROVIDERS
from sentrial._spans import aside


@pytest.fixture
async def client(server: FakeProvider, patched: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    # Tests that break us on purpose leave streams in it.
    monkeypatch.setattr(abandoned, "_open", {})
    client = OpenAiChat(server.url)
    yield client
    await client.aclose()


async def test_a_span_is_never_ended_inside_a_collection(
    client: Adapter, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a batching processor's queue does: a lock that is not reentrant, held while the collector runs.
    lock, threads, ended = threading.Lock(), [], threading.Event()
    keep = recorder.on_end

    def on_end(span: ReadableSpan) -> None:
        with lock:
            threads.append(threading.current_thread().name)
            keep(span)
        ended.set()

    monkeypatch.setattr(recorder, "on_end", on_end)
    stream = await client.stream()
    await client.next(stream)
    del stream
    with lock:
        collect()
        assert recorder.spans == []
    assert ended.wait(30)
    assert threads == ["sentrial-aside"]
    assert recorder.attributes["sentrial.stream.end"] == "abandoned"


def thread_of_ours() -> threading.Thread:
    """The only one there is."""
    (found,) = (thread for thread in threading.enumerate() if thread.name == "sentrial-aside")
    return found


async def test_one_thread_serves_all_streams(client: Adapter, recorder: Recorder) -> None:
    for _ in range(5):
        await client.next(await client.stream())
    collect()
    assert aside.settle(30)
    assert thread_of_ours().is_alive()
    assert [span.attributes["sentrial.stream.end"] for span in recorder.spans if span.attributes] == ["abandoned"] * 5
    assert not abandoned._open


async def test_a_stream_that_ended_is_not_watched_any_more(client: Adapter, recorder: Recorder) -> None:
    stream = await client.stream()
    assert len(abandoned._open) == 1
    await client.drain(stream)
    assert not abandoned._open


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
def test_a_call_that_another_thread_ends_just_then_is_not_watched(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    class Open(dict[Any, Any]):
        def __setitem__(self, call: Any, mark: Any) -> None:
            super().__setitem__(call, mark)
            assert call.claim() or moment == "before"

    monkeypatch.setattr(abandoned, "_open", Open())
    call = begin(describe(), None, ["m"], {})
    assert call is not None
    assert moment == "meanwhile" or call.claim()
    abandoned.watch(recorder, call)
    assert not abandoned._open
    call.end_claimed("closed")


async def test_the_end_of_an_abandoned_stream_is_when_its_last_chunk_came(client: Adapter, recorder: Recorder) -> None:
    stream = await client.stream()
    await client.next(stream)
    await client.stream(model="second")
    collect()
    assert aside.settle(30)
    del stream
    collect()
    assert aside.settle(30)
    second, first = recorder.spans
    assert (first.name, second.name) == ("chat gpt-4.1-mini", "chat second")
    assert first.end_time is not None
    assert second.start_time is not None
    assert first.end_time <= second.start_time


async def test_the_thread_goes_with_the_patches_and_comes_again(client: Adapter, recorder: Recorder) -> None:
    for _ in range(2):
        install.install(None, PROVIDERS)
        await client.next(await client.stream())
        thread = thread_of_ours()
        install.uninstall()
        thread.join(30)
        assert not thread.is_alive()
    assert len(recorder.spans) == 2


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
async def test_a_forked_child_has_its_own_thread_and_leaves_the_parents_streams_alone(
    client: Adapter, recorder: Recorder
) -> None:
    stream = await client.stream()
    await client.next(stream)
    child = os.fork()
    if child == 0:
        try:
            del stream
            gc.collect()
            aside.ensure_thread()
            in_child = thread_of_ours()
            abandoned.end_all()
            in_child.join(30)
            os._exit(len(recorder.spans) + 10 * in_child.is_alive())
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(await client.drain(stream)) == 6
    assert recorder.attributes["sentrial.stream.end"] == "drained"
