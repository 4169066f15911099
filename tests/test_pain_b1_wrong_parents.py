"""Pain B1: parallel work loses its parent, becomes a root, or nests in its sibling. Here it does not, whatever runs it.

LangGraph's nodes have tests of their own, with the framework.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import trace

import sentrial
from receivers import SentrialStandIn
from running import Span, arrived, is_current, session_of
from sentrial import Interaction

KEY = "sentrial_test_key"
TOOLS = range(8)


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


Tool = Callable[[int], None]
AsyncTool = Callable[[int], Awaitable[None]]


def make_tool(session: Interaction) -> Tool:
    """A tool that is open while all others are, and makes a model call and a plain span."""
    all_open = threading.Barrier(len(TOOLS))

    def tool(number: int) -> None:
        trace.get_tracer("db").start_span(f"before {number}").end()
        with session.tool(f"t{number}"):
            all_open.wait(10)
            with session.llm(f"m{number}", provider="openai") as call:
                trace.get_tracer("db").start_span(f"SELECT {number}").end()
                call.set_output("done")
            all_open.wait(10)
        trace.get_tracer("db").start_span(f"after {number}").end()

    return tool


def make_async_tool(session: Interaction) -> AsyncTool:
    """The same in a task."""
    waiting = []
    all_open = asyncio.Event()

    async def tool(number: int) -> None:
        trace.get_tracer("db").start_span(f"before {number}").end()
        async with session.tool(f"t{number}"):
            waiting.append(number)
            if len(waiting) == len(TOOLS):
                all_open.set()
            await asyncio.wait_for(all_open.wait(), 10)
            async with session.llm(f"m{number}", provider="openai") as call:
                await asyncio.sleep(0)
                trace.get_tracer("db").start_span(f"SELECT {number}").end()
                call.set_output("done")
            await asyncio.sleep(0)
        trace.get_tracer("db").start_span(f"after {number}").end()

    return tool


async def gather(tool: AsyncTool) -> None:
    await asyncio.gather(*map(tool, TOOLS))


async def task_group(tool: AsyncTool) -> None:
    async with asyncio.TaskGroup() as group:  # from 3.11 on
        for number in TOOLS:
            group.create_task(tool(number))


IN_TASKS = [gather, task_group] if sys.version_info >= (3, 11) else [gather]


async def to_thread(tool: Tool) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(TOOLS)))
    await asyncio.gather(*(asyncio.to_thread(tool, number) for number in TOOLS))


async def default_executor(tool: Tool) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(len(TOOLS)))
    await asyncio.gather(*(loop.run_in_executor(None, tool, number) for number in TOOLS))


async def own_executor(tool: Tool) -> None:
    with ThreadPoolExecutor(len(TOOLS)) as pool:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(pool, tool, number) for number in TOOLS))


async def submit(tool: Tool) -> None:
    with ThreadPoolExecutor(len(TOOLS)) as pool:
        for future in [pool.submit(tool, number) for number in TOOLS]:
            future.result()


async def map_(tool: Tool) -> None:
    with ThreadPoolExecutor(len(TOOLS)) as pool:
        assert list(pool.map(tool, TOOLS)) == [None] * len(TOOLS)


async def threads(tool: Tool) -> None:
    each = [threading.Thread(target=tool, args=(number,)) for number in TOOLS]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()


async def own_threads(tool: Tool) -> None:
    class OwnThread(threading.Thread):
        def __init__(self, work: Callable[[], None]) -> None:
            super().__init__()
            self.work = work

        def run(self) -> None:
            self.work()

    each = [OwnThread(functools.partial(tool, number)) for number in TOOLS]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()


IN_THREADS = [to_thread, default_executor, own_executor, submit, map_, threads, own_threads]


def assert_each_in_its_place(spans: dict[str, Span], session: Interaction) -> None:
    root, plan = spans.pop("invoke_agent agent"), spans.pop("decision agent")
    assert plan["parent_span_id"] == root["span_id"]
    expected: dict[str, str] = {}
    for number in TOOLS:
        expected[f"before {number}"] = expected[f"after {number}"] = plan["span_id"]
        expected[f"execute_tool t{number}"] = plan["span_id"]
        expected[f"chat m{number}"] = spans[f"execute_tool t{number}"]["span_id"]
        expected[f"SELECT {number}"] = spans[f"chat m{number}"]["span_id"]
    assert {name: span["parent_span_id"] for name, span in spans.items()} == expected
    everything: list[dict[str, Any]] = [root, plan, *spans.values()]
    assert {span["trace_id"] for span in everything} == {root["trace_id"]}
    assert {session_of(span) for span in everything} == {session.session_id}


@pytest.mark.parametrize("fan_out", IN_TASKS, ids=lambda way: way.__name__)
async def test_eight_tools_in_tasks_stand_side_by_side(
    server: SentrialStandIn, fan_out: Callable[[AsyncTool], Awaitable[None]]
) -> None:
    with sentrial.begin("u", "agent") as session, session.decision("ask all"):
        await fan_out(make_async_tool(session))
    assert is_current(None)
    assert_each_in_its_place(arrived(server), session)


@pytest.mark.parametrize("fan_out", IN_THREADS, ids=lambda way: way.__name__.strip("_"))
async def test_eight_tools_in_threads_stand_side_by_side(
    server: SentrialStandIn, fan_out: Callable[[Tool], Awaitable[None]]
) -> None:
    with sentrial.begin("u", "agent") as session, session.decision("ask all"):
        await fan_out(make_tool(session))
    assert is_current(None)
    assert_each_in_its_place(arrived(server), session)


@pytest.mark.parametrize("fan_out", [submit, threads], ids=lambda way: way.__name__)
async def test_the_same_tools_without_the_carried_context_hang_off_the_root(
    server: SentrialStandIn, fan_out: Callable[[Tool], Awaitable[None]]
) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01, carry_context=False)
    with sentrial.begin("u", "agent") as session, session.decision("ask all"):
        await fan_out(make_tool(session))
    spans = arrived(server)
    root = spans["invoke_agent agent"]["span_id"]
    assert {spans[f"execute_tool t{number}"]["parent_span_id"] for number in TOOLS} == {root}
    assert not any(name.startswith(("before", "after")) for name in spans)  # no session's: they are not sent to us


async def test_a_parent_that_has_ended_is_still_the_parent(server: SentrialStandIn) -> None:
    gate = threading.Event()

    def late() -> None:
        gate.wait(10)
        trace.get_tracer("db").start_span("SELECT").end()

    with ThreadPoolExecutor(1) as pool, sentrial.begin("u", "agent") as session:
        with session.tool("search"):
            future = pool.submit(late)
        gate.set()
        future.result()
    spans = arrived(server)
    assert spans["SELECT"]["parent_span_id"] == spans["execute_tool search"]["span_id"]
