"""Decorated generators that are entered in one task or thread and go on in another."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace

import sentrial
from decorated import outcome_of, said_in
from receivers import SentrialStandIn
from running import arrived, is_current
from sentrial.decorators import session, tool

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


@pytest.fixture(autouse=True)
def nothing_is_detached_wrongly(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """OpenTelemetry logs an error where a token is given back in another context."""
    caplog.set_level(logging.DEBUG, "opentelemetry.context")
    yield
    assert [record.getMessage() for record in caplog.records if record.name == "opentelemetry.context"] == []


def spanning() -> Any:
    """A span that the program itself keeps current across a ``yield``, by OpenTelemetry's own means."""
    return trace.get_tracer("third.party").start_as_current_span("spanning")


def mark(name: str) -> None:
    trace.get_tracer("third.party").start_span(name).end()


@tool
def count() -> Iterator[int]:
    with spanning():
        for n in range(9):
            mark(f"body {n}")
            yield n


@session("agent")
def agent(user_id: str) -> Iterator[str]:
    for n in count():
        yield f"{n} "


@tool
async def count_async() -> AsyncIterator[int]:
    with spanning():
        for n in range(9):
            await asyncio.sleep(0)
            mark(f"body {n}")
            yield n


@session("agent")
async def agent_async(user_id: str) -> AsyncIterator[str]:
    # It is a tool that begins inside, and not its own.
    interaction = sentrial.get_current_interaction()
    assert interaction is not None
    with interaction.tool("around"):
        items: Any = count_async()
        try:
            async for n in items:
                yield f"{n} "
        finally:
            await items.aclose()


def is_nothing_current() -> bool:
    return is_current(None) and not trace.get_current_span().get_span_context().is_valid


def assert_closed_after(steps: int, server: SentrialStandIn, *chain: str) -> None:
    """All the spans nest in each other as in ``chain``, and the agent was left after so many steps."""
    spans = arrived(server)
    root = spans["invoke_agent agent"]
    assert outcome_of(root) == ("cancelled", "closed", 0)
    assert said_in(root, "output") == ("assistant", "".join(f"{n} " for n in range(steps)))
    for child, parent in itertools.pairwise(chain):
        assert spans[child]["parent_span_id"] == spans[parent]["span_id"], child
    assert [span["status_code"] for span in spans.values()] == [0] * len(spans)
    for n in range(steps):
        assert spans[f"body {n}"]["parent_span_id"] == spans["spanning"]["span_id"]
    assert set(spans) == {*chain, *(f"body {n}" for n in range(steps))}


CHAIN = ("spanning", "execute_tool count", "invoke_agent agent")
ASYNC_CHAIN = ("spanning", "execute_tool count_async", "execute_tool around", "invoke_agent agent")


async def test_pain_a2_entered_in_one_task_and_closed_in_another(server: SentrialStandIn) -> None:
    items: Any = agent_async("u")

    async def step() -> str:
        with trace.get_tracer("web").start_as_current_span("request") as request:
            item: str = await items.__anext__()
            assert trace.get_current_span() is request
        assert is_nothing_current()
        return item

    async def close() -> None:
        await items.aclose()
        assert is_nothing_current()

    assert [await asyncio.create_task(step()) for _ in range(3)] == ["0 ", "1 ", "2 "]
    await asyncio.create_task(close())
    assert is_nothing_current()
    assert_closed_after(3, server, *ASYNC_CHAIN)


async def test_pain_a2_a_response_that_is_cancelled_while_it_streams(server: SentrialStandIn) -> None:
    sent = asyncio.Event()

    async def respond(items: AsyncIterator[str]) -> None:
        """Like a web framework's: one task takes the pieces and sends them, and is cancelled when the client goes."""
        async for _ in items:
            sent.set()
            await asyncio.Event().wait()

    async def serve() -> None:
        response = asyncio.create_task(respond(agent_async("u")))
        await sent.wait()
        response.cancel()
        with pytest.raises(asyncio.CancelledError):
            await response
        assert is_nothing_current()

    await asyncio.create_task(serve())
    # What was dropped is closed by the event loop, in a task of its own.
    gc.collect()
    await asyncio.sleep(0)
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0)
    assert_closed_after(1, server, *ASYNC_CHAIN)


def test_pain_a2_each_step_on_another_thread(server: SentrialStandIn) -> None:
    items: Any = agent("u")
    steps: list[Callable[[], Any]] = [lambda: next(items)] * 3 + [items.close]
    for step in steps:
        failed: list[BaseException] = []

        def run(step: Callable[[], Any] = step, failed: list[BaseException] = failed) -> None:
            try:
                step()
                assert is_nothing_current()
            except BaseException as error:
                failed.append(error)
                raise

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert failed == []
    assert is_nothing_current()
    assert_closed_after(3, server, *CHAIN)


async def test_pain_a2_each_step_in_a_copy_of_the_request_s_context(server: SentrialStandIn) -> None:
    """As web frameworks step a plain generator: in a pool, each time with a copy of the request's context."""
    request = contextvars.ContextVar[str]("request")
    request.set("r1")
    items = agent("u")
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(2) as pool:
        for n in range(3):
            step = contextvars.copy_context()
            assert await loop.run_in_executor(pool, step.run, next, items) == f"{n} "
        await loop.run_in_executor(pool, items.close)  # type: ignore[attr-defined]  # it is a generator
    assert is_nothing_current()
    assert_closed_after(3, server, *CHAIN)


def test_streams_that_are_pulled_in_turn_keep_apart(server: SentrialStandIn) -> None:
    streams = {user: agent(user) for user in ("ann", "bob")}
    for n in range(9):
        for items in streams.values():
            assert next(items) == f"{n} "
            assert is_nothing_current()
    assert [next(items, None) for items in streams.values()] == [None, None]
    assert sentrial.flush(10)
    roots = {
        span["attributes"]["user.id"]: span for span in server.spans if span["name"] == "invoke_agent agent"
    }  # fmt: skip
    assert {user: outcome_of(root) for user, root in roots.items()} == {
        "ann": ("completed", "drained", 0),
        "bob": ("completed", "drained", 0),
    }
    for user, root in roots.items():
        own = [span for span in server.spans if span["trace_id"] == root["trace_id"]]
        assert len(own) == 12
        assert {span["attributes"]["user.id"] for span in own} == {user}


async def test_many_at_once(server: SentrialStandIn) -> None:
    async def take(n: int) -> int:
        taken = 0
        items: Any = agent_async(f"u{n}")
        async for _ in items:
            taken += 1
            assert is_nothing_current()
            await asyncio.sleep(0)
            if taken == n % 9 + 1:
                break
        await items.aclose()
        return taken

    assert await asyncio.gather(*(take(n) for n in range(30))) == [n % 9 + 1 for n in range(30)]
    assert sentrial.flush(20)
    roots = [span for span in server.spans if span["name"] == "invoke_agent agent"]
    assert len({root["trace_id"] for root in roots}) == 30
    for root in roots:
        own = [span for span in server.spans if span["trace_id"] == root["trace_id"]]
        assert len(own) == 4 + int(root["attributes"]["user.id"][1:]) % 9 + 1
        assert {span["attributes"]["user.id"] for span in own} == {root["attributes"]["user.id"]}


def test_an_event_loop_that_shuts_down_closes_a_stream_once(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    kept: list[Any] = []

    async def run() -> None:
        items = agent_async("u")
        kept.append(items)
        assert await items.__anext__() == "0 "

    asyncio.run(run())
    assert_closed_after(1, server, *ASYNC_CHAIN)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
