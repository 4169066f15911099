"""Pain B4: cancelled, closed and interrupted work turns dashboards red. Here it has an outcome, and no error.

LangGraph's interrupts have tests of their own, with the framework.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import greenlet
import pytest
import trio

import sentrial
from receivers import SentrialStandIn
from running import Span, arrived, is_current

KEY = "sentrial_test_key"
SPANS = {"invoke_agent agent", "execute_tool search", "decision agent", "chat m"}


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def assert_cancelled_without_error(spans: dict[str, Span]) -> None:
    assert set(spans) == SPANS
    for span in spans.values():
        assert (span["name"], span["status_code"], span["events"]) == (span["name"], 0, [])
        assert "error.type" not in span["attributes"]
    root = spans["invoke_agent agent"]["attributes"]
    assert root["sentrial.session.outcome"] == "cancelled"
    assert not {"sentrial.session.success", "sentrial.session.failure_reason"} & root.keys()


@contextlib.contextmanager
def working() -> Iterator[None]:
    """In the middle of a session, and of one event of each kind."""
    with (
        sentrial.begin("u", "agent") as session,
        session.tool("search"),
        session.decision("why"),
        session.llm("m", provider="openai"),
    ):
        yield


async def for_ever() -> None:
    with working():
        await asyncio.Event().wait()


async def cancel() -> None:
    task = asyncio.create_task(for_ever())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def time_out() -> None:
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(for_ever(), 0.01)


async def fail_beside_it() -> None:
    """The others of a group are cancelled when one fails."""

    async def fail() -> None:
        raise ValueError("the other one's")

    tasks = [asyncio.create_task(for_ever()), asyncio.create_task(fail())]
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in pending:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, ValueError]


async def break_out() -> None:
    async def stream() -> AsyncGenerator[int, None]:
        with working():
            for number in range(10):
                yield number

    items = stream()
    async for number in items:
        if number == 3:
            break
    await items.aclose()


async def close_on_a_thread() -> None:
    def stream() -> Generator[int, None, None]:
        with working():
            yield 1

    def consume() -> None:
        for _ in (items := stream()):
            items.close()
        assert is_current(None)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(consume).result()


async def exit_() -> None:
    with pytest.raises(SystemExit), working():
        raise SystemExit(2)


async def interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), working():
        raise KeyboardInterrupt


async def cancel_in_trio() -> None:
    async def main() -> None:
        with trio.move_on_after(0.01), working():
            await trio.sleep_forever()

    await asyncio.to_thread(trio.run, main)


async def cancel_a_nursery_of_trio() -> None:
    """It raises a group."""

    async def main() -> None:
        with trio.move_on_after(0.01), working():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                nursery.start_soon(trio.sleep_forever)

    await asyncio.to_thread(trio.run, main)


async def kill_a_greenlet() -> None:
    def run() -> None:
        with working():
            assert worker.parent is not None
            worker.parent.switch()

    worker = greenlet.greenlet(run)
    worker.switch()
    worker.throw()


WAYS = [
    cancel, time_out, fail_beside_it, break_out, close_on_a_thread, exit_, interrupt,
    cancel_in_trio, cancel_a_nursery_of_trio, kill_a_greenlet,
]  # fmt: skip


@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__.strip("_"))
async def test_leaving_is_no_failure(server: SentrialStandIn, leave: Callable[[], object]) -> None:
    await leave()  # type: ignore[misc]  # each is a coroutine function
    assert is_current(None)
    assert_cancelled_without_error(arrived(server))


def test_what_fails_in_a_nursery_of_trios_is_a_failure_whatever_is_cancelled_beside_it(server: SentrialStandIn) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise ValueError("no such order")

    with pytest.raises(Exception, match="nursery"), sentrial.begin("u", "agent"):
        trio.run(main)
    root = arrived(server)["invoke_agent agent"]["attributes"]
    assert root["sentrial.session.outcome"] == "failed"


def test_an_exception_of_the_programs_is_a_failure_whatever_its_name(server: SentrialStandIn) -> None:
    class GraphInterrupt(Exception):  # noqa: N818 - LangGraph's name, and not its class
        pass

    with pytest.raises(GraphInterrupt), sentrial.begin("u", "agent") as session, session.tool("search"):
        raise GraphInterrupt("not LangGraph's")
    spans = arrived(server)
    for span in spans.values():
        assert span["status_code"] == 2
        assert span["attributes"]["error.type"].endswith("GraphInterrupt")
    assert [event["name"] for event in spans["execute_tool search"]["events"]] == ["exception"]
    assert spans["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] == "failed"
