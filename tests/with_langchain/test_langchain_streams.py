"""Streams of models and graphs: nothing of ours is current at the consumer's, and each ends however it is left.

Pain A2 in LangChain: that nobody complains of a context is asserted after every test here.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from opentelemetry import trace

import sentrial
from langchain_scenarios import QUESTION, Exported, Models
from langchain_scenarios.asking import INPUT, OUTPUT, Streaming
from langchain_scenarios.inside import open_runs
from running import is_current
from sentrial.langchain import SentrialCallbackHandler

ASKED = {"messages": [("user", QUESTION)]}
DRAINED, CLOSED, CANCELLED = "drained", "closed", "cancelled"

Make = Callable[..., Any]


@pytest.fixture(params=["the program's own", "patched client"])
def model(request: pytest.FixtureRequest, models: Models) -> Any:
    """One that streams."""
    return Streaming() if request.param == "the program's own" else models.openai(streaming=True)


def of_model(model: Any) -> tuple[Any, Any, dict[str, Any]]:
    return model, QUESTION, {}


def of_chain(model: Any) -> tuple[Any, Any, dict[str, Any]]:
    return (lambda text: text) | model, QUESTION, {}


def of_graph(model: Any) -> tuple[Any, Any, dict[str, Any]]:
    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    async def answer_async(state: MessagesState, config: Any) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"], config)]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", RunnableLambda(answer, answer_async))
    graph.add_edge(START, "answer")
    return graph.compile(name="flow"), ASKED, {"stream_mode": "messages"}


KINDS = pytest.mark.parametrize("kind", [of_model, of_chain, of_graph], ids=lambda kind: kind.__name__)


def current() -> tuple[trace.Span, bool]:
    """The current span, and whether no session is current."""
    return trace.get_current_span(), is_current(None)


def chats(exported: Exported) -> list[dict[str, Any]]:
    return [span for span in exported.spans if span["name"].startswith("chat")]


def check(exported: Exported, handler: SentrialCallbackHandler, ends: Sequence[str]) -> None:
    """One ended span of the model's, and no error anywhere."""
    (chat,) = chats(exported)
    assert chat["attributes"]["sentrial.stream.end"] in ends
    assert len(exported.trees) == 1
    for span in exported.spans:
        assert (span["name"], span["status_code"], span["events"]) == (span["name"], 0, [])
    assert open_runs(handler) == []


# --- what is current at the consumer's -------------------------------------------------------------------------------


@KINDS
def test_nothing_of_ours_is_current_between_the_pieces(exported: Exported, model: Any, kind: Make) -> None:
    handler = SentrialCallbackHandler()
    runnable, given, options = kind(model)
    before = current()
    for _ in runnable.stream(given, {"callbacks": [handler]}, **options):
        assert current() == before
        with trace.get_tracer("user").start_as_current_span("consumer"):
            pass
    assert current() == before
    spans = exported.spans
    assert {span["parent_span_id"] for span in spans if span["name"] == "consumer"} <= {None}
    (chat,) = chats(exported)
    assert chat["attributes"]["sentrial.stream.end"] == DRAINED


@KINDS
async def test_nor_between_those_of_an_asynchronous_stream(exported: Exported, model: Any, kind: Make) -> None:
    handler = SentrialCallbackHandler()
    runnable, given, options = kind(model)
    with sentrial.begin("user_1", "outer"), trace.get_tracer("user").start_as_current_span("around") as around:
        async for _ in runnable.astream(given, {"callbacks": [handler]}, **options):
            assert trace.get_current_span() is around
        assert trace.get_current_span() is around
    (chat,) = chats(exported)
    assert chat["attributes"]["sentrial.stream.end"] == DRAINED
    assert open_runs(handler) == []


@pytest.mark.parametrize("mode", ["values", "updates", "messages", "debug"])
def test_nor_between_the_steps_of_an_agent(exported: Exported, mode: str) -> None:
    @tool
    def look_up(text: str) -> str:
        """Look it up."""
        return text

    agent = create_agent(Streaming(calls=[("look_up", {"text": "it"})]), [look_up])
    before = current()
    for _ in agent.stream(ASKED, {"callbacks": [SentrialCallbackHandler()]}, stream_mode=mode):
        assert current() == before
    assert len(exported.trees) == 1


async def test_nor_between_the_events_of_a_run(exported: Exported) -> None:
    agent = create_agent(Streaming(), [])
    before = current()
    async for _ in agent.astream_events(ASKED, version="v2"):
        assert current() == before
    assert len(chats(exported)) == 1


# --- broken off ------------------------------------------------------------------------------------------------------


def close(stream: Generator[Any, None, None]) -> None:
    next(stream)
    stream.close()


def break_off(stream: Generator[Any, None, None]) -> None:
    for _ in stream:
        break


def forget(stream: Generator[Any, None, None]) -> None:
    next(stream)
    cycle: list[Any] = [stream]
    cycle.append(cycle)
    del stream, cycle


SYNC = pytest.mark.parametrize("leave", [close, break_off, forget], ids=lambda leave: leave.__name__)


@KINDS
@SYNC
def test_a_stream_that_is_left_early_ends_its_span(
    exported: Exported, model: Any, kind: Make, leave: Callable[[Any], None]
) -> None:
    handler = SentrialCallbackHandler()
    runnable, given, options = kind(model)
    before = current()
    leave(runnable.stream(given, {"callbacks": [handler]}, **options))
    gc.collect()
    assert current() == before
    # A graph's node is done when its first piece is handed on.
    check(exported, handler, [CLOSED, CANCELLED] + [DRAINED] * (kind is of_graph))


@KINDS
def test_so_does_one_whose_consumer_fails(exported: Exported, model: Any, kind: Make) -> None:
    handler = SentrialCallbackHandler()
    runnable, given, options = kind(model)

    def consume() -> None:
        for _ in runnable.stream(given, {"callbacks": [handler]}, **options):
            raise LookupError("the consumer's own")

    with pytest.raises(LookupError):
        consume()
    gc.collect()
    check(exported, handler, [CLOSED, CANCELLED] + [DRAINED] * (kind is of_graph))


class Counting(Streaming):
    """Says with its last piece what it took."""

    def _stream(self, messages: Any, *given: Any, **settings: Any) -> Iterator[ChatGenerationChunk]:
        yield from super()._stream(messages, *given, **settings)
        usage = UsageMetadata(input_tokens=INPUT, output_tokens=OUTPUT, total_tokens=INPUT + OUTPUT)
        yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=usage))


@pytest.mark.parametrize("leave", [close, break_off], ids=lambda leave: leave.__name__)
def test_a_parser_that_reads_to_the_end_all_the_same_leaves_the_session_its_tokens(
    exported: Exported, leave: Callable[[Any], None]
) -> None:
    handler = SentrialCallbackHandler()
    leave((Counting() | StrOutputParser()).with_config(run_name="parsed").stream(QUESTION, {"callbacks": [handler]}))
    root = exported.one("invoke_agent parsed")["attributes"]
    assert handler.total_tokens == INPUT + OUTPUT
    assert (root["gen_ai.usage.input_tokens"], root["gen_ai.usage.output_tokens"]) == (INPUT, OUTPUT)
    assert root["sentrial.session.outcome"] == "completed"
    assert open_runs(handler) == []


async def test_one_that_is_closed_after_its_session_writes_on_nothing_that_has_ended(
    exported: Exported, caplog: pytest.LogCaptureFixture
) -> None:
    with sentrial.begin("ann", "support"):
        stream = create_agent(Streaming(), []).astream(
            ASKED, {"callbacks": [SentrialCallbackHandler()]}, stream_mode="messages"
        )
        await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # a generator, by another name
    assert len(chats(exported)) == 1
    assert [record.getMessage() for record in caplog.records if record.name.startswith("opentelemetry")] == []


async def close_elsewhere(stream: AsyncGenerator[Any, None]) -> None:
    await asyncio.create_task(anext(stream))  # type: ignore[arg-type]  # it is a coroutine
    await asyncio.create_task(stream.aclose())


async def cancel(stream: AsyncGenerator[Any, None]) -> None:
    pulled = asyncio.Event()

    async def pull() -> None:
        async for _ in stream:
            pulled.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(pull())
    await pulled.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await stream.aclose()


async def forget_async(stream: AsyncGenerator[Any, None]) -> None:
    await anext(stream)
    del stream


async def all_closed() -> None:
    """The loop closes generators that nobody holds any more, one inside the other, each in a task of its own."""
    quiet = 0
    while quiet < 10:
        await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        quiet = 0 if others else quiet + 1
        if others:
            await asyncio.wait(others, timeout=20)


ASYNC = pytest.mark.parametrize("leave", [close_elsewhere, cancel, forget_async], ids=lambda leave: leave.__name__)


@KINDS
@ASYNC
async def test_so_does_an_asynchronous_one(exported: Exported, model: Any, kind: Make, leave: Any) -> None:
    handler = SentrialCallbackHandler()
    runnable, given, options = kind(model)
    before = current()
    await leave(runnable.astream(given, {"callbacks": [handler]}, **options))
    gc.collect()
    await all_closed()
    assert current() == before
    check(exported, handler, [CLOSED, CANCELLED] + [DRAINED] * (kind is of_graph))


@pytest.mark.parametrize("kind", [of_model, of_chain, of_graph], ids=lambda kind: kind.__name__)
async def test_a_stream_that_waits_is_cancelled_by_a_timeout(
    exported: Exported, kind: Make, server: Any, models: Models
) -> None:
    server.hold(after=2)
    handler = SentrialCallbackHandler()
    runnable, given, options = kind(models.openai(streaming=True))

    begun = asyncio.Event()

    async def consume() -> None:
        async for _ in runnable.astream(given, {"callbacks": [handler]}, **options):
            begun.set()

    task = asyncio.create_task(consume())
    await asyncio.wait_for(begun.wait(), 60)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(task, 0.05)
    check(exported, handler, [CANCELLED])
