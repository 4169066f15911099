"""Decorated generators, plain and asynchronous: each ends once, however its consumer leaves it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

import sentrial
from decorated import in_order, outcome_of, result_of, said_in
from receivers import SentrialStandIn
from running import arrived, is_current, run_program
from sentrial.decorators import session, tool

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def mark(name: str) -> None:
    """What any instrumentation does: a span in whatever is current."""
    trace.get_tracer("third.party").start_span(name).end()


@session("streaming")
def stream(user_id: str, message: str, pieces: int = 3) -> Iterator[str]:
    for n in range(pieces):
        mark(f"body {n}")
        yield f"{message}{n} "


@session("streaming")
async def stream_async(user_id: str, message: str, pieces: int = 3) -> AsyncIterator[str]:
    for n in range(pieces):
        await asyncio.sleep(0)
        mark(f"body {n}")
        yield f"{message}{n} "


# Ways to consume a stream of either kind.


def both(consume: Callable[[Any], None], consume_async: Callable[[Any], Any]) -> list[Callable[[], None]]:
    async def run() -> None:
        await consume_async(stream_async("u", "hi"))
        for _ in range(3):
            await asyncio.sleep(0)  # the event loop closes in a task of its own what was dropped

    return [lambda: consume(stream("u", "hi")), lambda: asyncio.run(run())]


def leave(items: Iterator[str]) -> None:
    for _ in items:
        break


def close(items: Any) -> None:
    next(items)
    items.close()


def fail_in_consumer(items: Iterator[str]) -> None:
    with contextlib.suppress(ZeroDivisionError):
        for _ in items:
            raise ZeroDivisionError


def drop(items: Iterator[str]) -> None:
    next(items)
    del items
    gc.collect()


async def leave_async(items: AsyncIterator[str]) -> None:
    async for _ in items:
        break


async def close_async(items: Any) -> None:
    await items.__anext__()
    await items.aclose()


async def fail_in_consumer_async(items: AsyncIterator[str]) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async for _ in items:
            raise ZeroDivisionError


async def drop_async(items: AsyncIterator[str]) -> None:
    await items.__anext__()
    del items
    gc.collect()


@pytest.mark.parametrize(
    "consume",
    [
        *both(leave, leave_async),
        *both(close, close_async),
        *both(fail_in_consumer, fail_in_consumer_async),
        *both(drop, drop_async),
    ],
    ids=[f"{how}-{kind}" for how in ("break", "close", "raise", "drop") for kind in ("sync", "async")],
)
def test_pain_b4_a_consumer_that_breaks_off_is_no_failure_and_what_it_got_is_kept(
    server: SentrialStandIn, consume: Callable[[], None]
) -> None:
    consume()
    assert is_current(None)
    spans = arrived(server)
    root = spans["invoke_agent streaming"]
    assert outcome_of(root) == ("cancelled", "closed", 0)
    assert root["events"] == []
    assert said_in(root, "output") == ("assistant", "hi0 ")
    assert set(spans) == {"invoke_agent streaming", "body 0"}


def test_an_error_in_the_body_fails_the_session_and_keeps_what_came_before(server: SentrialStandIn) -> None:
    error = ValueError("model went away")

    @session
    def agent(user_id: str) -> Iterator[str]:
        yield "part "
        raise error

    with pytest.raises(ValueError, match="model went away") as caught:
        list(agent("u"))
    assert caught.value is error
    assert [entry.name for entry in caught.traceback][-2:] == ["call", "agent"]
    root = arrived(server)["invoke_agent agent"]
    assert outcome_of(root) == ("failed", "error", 2)
    assert said_in(root, "output") == ("assistant", "part ")


def test_an_error_thrown_in_that_leaves_the_body_is_a_failure_and_one_that_does_not_is_none(
    server: SentrialStandIn,
) -> None:
    @tool("fragile")
    def fragile() -> Iterator[int]:
        yield 1

    @tool("sturdy")
    def sturdy() -> Iterator[int]:
        try:
            yield 1
        except LookupError:
            yield 2

    with sentrial.begin("u", "agent"):
        items: Any = fragile()
        next(items)
        with pytest.raises(LookupError):
            items.throw(LookupError("x"))
        items = sturdy()
        next(items)
        assert items.throw(LookupError("x")) == 2
        assert list(items) == []
    spans = arrived(server)
    assert outcome_of(spans["execute_tool fragile"]) == (None, "error", 2)
    assert outcome_of(spans["execute_tool sturdy"]) == (None, "drained", 0)
    assert result_of(spans["execute_tool sturdy"]) == {"result": [1, 2]}


def test_a_task_that_is_cancelled_while_it_waits_for_the_body_cancels_the_session(server: SentrialStandIn) -> None:
    @session
    async def agent(user_id: str) -> AsyncIterator[str]:
        yield "part "
        await asyncio.Event().wait()

    async def run() -> None:
        items = agent("u")
        assert await items.__anext__() == "part "
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(items.__anext__(), 0.01)

    asyncio.run(run())
    root = arrived(server)["invoke_agent agent"]
    assert outcome_of(root) == ("cancelled", "cancelled", 0)
    assert said_in(root, "output") == ("assistant", "part ")


def test_a_generator_that_nobody_begins_is_no_session(server: SentrialStandIn) -> None:
    @session
    def agent(user_id: str) -> Iterator[str]:
        yield "x"

    agent("u")
    unused: Any = agent("u")
    unused.close()
    assert in_order(server) == []


def test_a_generator_that_is_still_suspended_when_the_program_ends_is_abandoned(server: SentrialStandIn) -> None:
    @tool
    def numbers() -> Iterator[int]:
        yield 1
        yield 2

    @session
    def agent(user_id: str) -> Iterator[str]:
        for number in numbers():
            yield str(number)

    items = agent("u")
    assert next(items) == "1"
    sentrial.shutdown()
    spans = {span["name"]: span for span in server.spans}
    assert outcome_of(spans["invoke_agent agent"])[0] == "abandoned"
    assert outcome_of(spans["execute_tool numbers"]) == (None, "abandoned", 0)
    assert result_of(spans["execute_tool numbers"]) == {"result": [1]}
    assert list(items) == ["2"]


def test_nothing_ends_inside_the_garbage_collector_where_a_lock_may_be_held(server: SentrialStandIn) -> None:
    class Locking(SpanProcessor):
        """An application's processor with a lock that no thread can take twice."""

        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.got: list[bool] = []

        def on_end(self, span: ReadableSpan) -> None:
            taken = self.lock.acquire(timeout=5)
            self.got.append(taken)
            if taken:
                self.lock.release()

    locking = Locking()

    @session
    def agent(user_id: str) -> Iterator[str]:
        yield "x"
        yield "y"

    items = agent("u")
    next(items)
    provider: Any = trace.get_tracer_provider()
    provider.add_span_processor(locking)
    with locking.lock:
        del items
        gc.collect()
    assert arrived(server).keys() == {"invoke_agent agent"}
    assert locking.got == [True]


def test_a_forked_child_goes_on_with_a_generator_and_leaves_its_span_to_the_parent(server: SentrialStandIn) -> None:
    ended = run_program(
        """
        import os, sentrial
        from sentrial.decorators import session

        @session
        def agent(user_id):
            yield "a"
            yield "b"

        items = agent("u")
        print(f'"{next(items)}"', flush=True)
        child = os.fork()
        print(f'"{next(items)}"', flush=True)
        assert list(items) == []
        if child:
            assert os.waitpid(child, 0)[1] == 0
        sentrial.shutdown()
        """,
        {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url},
    )
    assert ended.printed == ["a", "b", "b"]
    (root,) = server.spans
    assert outcome_of(root) == ("completed", "drained", 0)
    assert said_in(root, "output") == ("assistant", "ab")


def test_a_tool_that_was_broken_off_ends_before_its_session(server: SentrialStandIn) -> None:
    @tool
    def numbers() -> Iterator[int]:
        yield from range(10)

    with sentrial.begin("u", "agent"):
        for number in numbers():
            if number == 2:
                break
    call, root = in_order(server)
    assert (call["name"], outcome_of(call)) == ("execute_tool numbers", (None, "closed", 0))
    assert root["attributes"]["sentrial.session.tool_calls"] == 1
