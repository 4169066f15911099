"""Streams that nobody holds any more, and the garbage collector that closes them at the worst of moments.

LangChain tells of such an end inside the collection, which can strike anywhere: while a lock of ours is held, in the
middle of a change of the context.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import StatusCode

import sentrial
from langchain_scenarios import QUESTION, Exported
from langchain_scenarios.asking import Asking, Streaming
from langchain_scenarios.inside import holding_ends, open_runs
from running import is_current, run_program
from sentrial import _runtime
from sentrial._frameworks.langchain import collection
from sentrial._spans import aside
from sentrial.langchain import SentrialCallbackHandler

LETS_GO = """
    import faulthandler, gc, os
    faulthandler.enable()
    from langchain_core.language_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
    import sentrial

    def answers():
        while True:
            yield AIMessage("hello big wide world")

    class Request:
        def __init__(self, model):
            self.itself = self
            self.reply = model.stream("hi")
            next(self.reply)

    def serve(times, thresholds):
        model = GenericFakeChatModel(messages=answers())
        for threshold in thresholds:
            gc.set_threshold(threshold)
            for _ in range(times):
                Request(model)
                model.invoke("another request")
        gc.set_threshold(700)

    def wait_for(spans):
        while sentrial.stats()["local store"]["stored"] < spans:
            gc.collect()  # nothing, where another thread is in the middle of it
            assert sentrial.flush(30)
"""
"""A program whose requests hold themselves, and a stream each."""


@pytest.mark.parametrize(("auto_session", "spans"), [("call", 4), ("off", 2)])
def test_a_collection_while_a_lock_of_ours_is_held_stops_nothing(auto_session: str, spans: int) -> None:
    program = f"""{LETS_GO}
    sentrial.configure(auto_session={auto_session!r})
    serve(10, range(20, 60))
    wait_for(10 * 40 * {spans})
    """
    run_program(program, {"SENTRIAL_STORE": "on"})


def test_a_collection_while_the_context_is_changed_breaks_nothing() -> None:
    program = f"""{LETS_GO}
    provider = TracerProvider()
    out = open(os.devnull, "w")
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=out)))
    trace.set_tracer_provider(provider)
    sentrial.configure()
    serve(20, range(10, 30))
    wait_for(20 * 20 * 2)
    sentrial.shutdown()
    out.close()
    """
    run_program(program, {"SENTRIAL_STORE": "on"})


# --- where an end is made --------------------------------------------------------------------------------------------


@pytest.fixture
def ended() -> list[tuple[ReadableSpan, str]]:
    """The spans that have ended, each with the name of the thread that ended it."""
    found: list[tuple[ReadableSpan, str]] = []

    class Listening(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            found.append((span, threading.current_thread().name))

    provider = TracerProvider()
    provider.add_span_processor(Listening())
    trace.set_tracer_provider(provider)
    sentrial.configure()
    return found


def held_by_itself(stream: Any) -> list[Any]:
    next(stream)
    holder = [stream]
    holder.append(holder)
    return holder


def of_model(config: Any) -> Any:
    return Streaming().stream(QUESTION, config)


def of_chain(config: Any) -> Any:
    return ((lambda text: text) | Streaming()).stream(QUESTION, config)


@pytest.mark.parametrize("stream", [of_model, of_chain], ids=lambda stream: stream.__name__)
def test_what_a_collection_tells_of_is_ended_later_and_with_the_time_when_it_was_told(
    ended: list[tuple[ReadableSpan, str]], stream: Callable[[Any], Any]
) -> None:
    handler = SentrialCallbackHandler()
    holder = held_by_itself(stream({"callbacks": [handler]}))
    with holding_ends():
        del holder
        gc.collect()
        told = time.time_ns()
        assert ended == []
        assert open_runs(handler) != []
    assert sentrial.flush(10)
    assert open_runs(handler) == []
    assert len(ended) >= 2
    for span, _ in ended:
        assert span.status.status_code is StatusCode.UNSET
        assert span.end_time is not None
        assert span.end_time <= told


def test_a_thread_of_ours_ends_it_where_nobody_waits(ended: list[tuple[ReadableSpan, str]]) -> None:
    handler = SentrialCallbackHandler()
    holder = held_by_itself(of_model({"callbacks": [handler]}))
    del holder
    gc.collect()
    while open_runs(handler):
        time.sleep(0.01)
    assert {thread for _, thread in ended} == {"sentrial-aside"}


def test_what_the_program_lets_go_of_by_itself_ends_at_once(ended: list[tuple[ReadableSpan, str]]) -> None:
    stream = of_model({"callbacks": [SentrialCallbackHandler()]})
    next(stream)
    del stream
    assert [thread for _, thread in ended] == ["MainThread"] * 2


async def test_what_a_collection_lets_go_of_is_not_left_there(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, attached_in_collection = asyncio.Event(), []
    attach = _runtime.attach

    def listen(context: Context) -> Any:
        if collection.is_here():
            attached_in_collection.append(context)
        return attach(context)

    monkeypatch.setattr(_runtime, "attach", listen)

    @tool
    async def wait() -> str:
        """Wait for ever."""
        began.set()
        await asyncio.Event().wait()
        return ""

    here = asyncio.current_task()
    assert here is not None
    with sentrial.begin("user_1", "agent"):
        before = trace.get_current_span()
        asyncio.get_running_loop().call_later(0.05, here.cancel)
        try:
            await wait.ainvoke({}, {"callbacks": [SentrialCallbackHandler()]})
        except asyncio.CancelledError as error:
            getattr(here, "uncancel", lambda: None)()
            holder: list[Any] = [error]
            holder.append(holder)
        del holder
        for _ in range(3):
            await asyncio.sleep(0)  # until then the loop holds what LangChain has left
        gc.collect()
        assert attached_in_collection == []
        await asyncio.sleep(0)
        assert trace.get_current_span() is before
    span = exported.one("execute_tool wait")
    assert span["attributes"]["sentrial.outcome"] == "cancelled"


def test_many_at_once_end_with_their_sessions(ended: list[tuple[ReadableSpan, str]]) -> None:
    handler, times = SentrialCallbackHandler(), 500
    with holding_ends():
        holders = [held_by_itself(of_model({"callbacks": [handler]})) for _ in range(times)]
        del holders
        gc.collect()
    assert sentrial.flush(30)
    assert open_runs(handler) == []
    assert len(ended) == 2 * times


def test_the_end_of_a_session_waits_for_nobodys_span_processor(ended: list[tuple[ReadableSpan, str]]) -> None:
    with holding_ends():
        Asking().invoke(QUESTION, {"callbacks": [SentrialCallbackHandler()]})
        assert len(ended) == 2


def test_without_a_thread_all_is_recorded(
    ended: list[tuple[ReadableSpan, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    aside.stop()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        Asking().invoke(QUESTION, {"callbacks": [SentrialCallbackHandler()]})
        holder = held_by_itself(of_model({"callbacks": [SentrialCallbackHandler()]}))
        del holder
        gc.collect()
    assert len(ended) == 2
    assert sentrial.flush(10)
    assert len(ended) == 4


def test_the_thread_belongs_to_no_session(exported: Exported) -> None:
    found: list[bool] = []
    ended = threading.Event()
    aside.stop()
    with sentrial.begin("user_1", "agent"):
        RunnableLambda(lambda text: text).invoke(QUESTION)

        def look() -> None:
            found.append(is_current(None))
            ended.set()

        aside.put(look)
        assert ended.wait(20)
    assert found == [True]
