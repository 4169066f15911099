"""What the program does inside a node or a tool stands below it, however LangChain runs it."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest
from langchain.agents import create_agent
from langchain_core.tools import StructuredTool
from langgraph.graph import START, MessagesState, StateGraph
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

import sentrial
from fake_provider import FakeProvider
from langchain_scenarios import QUESTION, Exported
from langchain_scenarios.asking import Asking
from sentrial.langchain import SentrialCallbackHandler

Work = Callable[[], None]

ASKED = {"messages": [("user", QUESTION)]}
EVERYTHING = ["SELECT", "chat gpt-4.1-mini", "execute_tool look_up", "  inside", "GET", "invoke_agent helper"]


@sentrial.tool
def look_up() -> None:
    with trace.get_tracer("db").start_as_current_span("inside"):
        pass


@pytest.fixture
def work(server: FakeProvider) -> Iterator[Work]:
    """All that a program may do in there: EVERYTHING."""
    with httpx.Client() as http, openai.OpenAI(api_key="k", base_url=server.base_url) as client:
        HTTPXClientInstrumentor.instrument_client(http)

        def everything() -> None:
            with trace.get_tracer("db").start_as_current_span("SELECT"):
                pass
            client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": QUESTION}])
            look_up()
            http.get(server.url)
            with sentrial.begin("user_1", "helper"):
                pass

        yield everything


# --- the ways to run it ----------------------------------------------------------------------------------------------


def plainly(work: Work) -> Work:
    return work


def in_a_pool(work: Work) -> Work:
    def run() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(work).result()

    return run


AsyncWork = Callable[[], Awaitable[None]]


def awaited(work: Work) -> AsyncWork:
    async def run() -> None:
        work()

    return run


def to_thread(work: Work) -> AsyncWork:
    async def run() -> None:
        await asyncio.to_thread(work)

    return run


def in_an_executor(work: Work) -> AsyncWork:
    async def run() -> None:
        await asyncio.get_running_loop().run_in_executor(None, work)

    return run


def in_a_task(work: Work) -> AsyncWork:
    async def run() -> None:
        await asyncio.gather(awaited(work)())

    return run


def in_a_group(work: Work) -> AsyncWork:
    async def run() -> None:
        async with asyncio.TaskGroup() as group:  # from 3.11 on
            group.create_task(awaited(work)())

    return run


SYNC = [plainly, in_a_pool]
ASYNC = [awaited, to_thread, in_an_executor, in_a_task] + ([in_a_group] if sys.version_info >= (3, 11) else [])


def named(way: Any) -> str:
    return str(getattr(way, "__name__", way))


sync_ways = pytest.mark.parametrize("way", SYNC, ids=named)
async_ways = pytest.mark.parametrize("way", ASYNC, ids=named)
given = pytest.mark.parametrize("given", [False, True], ids=["zero code", "a handler"])


def config(given: bool) -> dict[str, Any]:
    return {"callbacks": [SentrialCallbackHandler()]} if given else {}


# --- tools -----------------------------------------------------------------------------------------------------------

AGENT = ["invoke_agent agent", "  chat", "  execute_tool search", *(f"    {name}" for name in EVERYTHING), "  chat"]


def agent_with(run: Any) -> Any:
    def search() -> str:
        """Search."""
        run()
        return "found"

    async def search_async() -> str:
        await run()
        return "found"

    is_async = asyncio.iscoroutinefunction(run)
    tool = StructuredTool.from_function(
        None if is_async else search, search_async if is_async else None, name="search", description="Search."
    )
    return create_agent(Asking(calls=[("search", {})]), [tool])


@given
@sync_ways
def test_what_a_tool_does_stands_below_it(
    exported: Exported, work: Work, way: Callable[[Work], Work], given: bool
) -> None:
    with sentrial.begin("user_1", "agent"):
        agent_with(way(work)).invoke(ASKED, config(given))
    assert exported.tree == AGENT
    assert exported.violations == []


@given
@sync_ways
async def test_so_does_a_synchronous_tools_in_an_asynchronous_agent(
    exported: Exported, work: Work, way: Callable[[Work], Work], given: bool
) -> None:
    with sentrial.begin("user_1", "agent"):
        await agent_with(way(work)).ainvoke(ASKED, config(given))
    assert exported.tree == AGENT


@given
@async_ways
async def test_so_does_an_asynchronous_tools(
    exported: Exported, work: Work, way: Callable[[Work], AsyncWork], given: bool
) -> None:
    with sentrial.begin("user_1", "agent"):
        await agent_with(way(work)).ainvoke(ASKED, config(given))
    assert exported.tree == AGENT


# --- nodes -----------------------------------------------------------------------------------------------------------

GRAPH = ["invoke_agent agent", "  invoke_workflow flow", "    node look", *(f"      {name}" for name in EVERYTHING)]


def graph_with(run: Any) -> Any:
    def look(state: MessagesState) -> dict[str, Any]:
        run()
        return {}

    async def look_async(state: MessagesState) -> dict[str, Any]:
        await run()
        return {}

    graph = StateGraph(MessagesState)
    graph.add_node("look", look_async if asyncio.iscoroutinefunction(run) else look)
    graph.add_edge(START, "look")
    return graph.compile(name="flow")


@given
@sync_ways
def test_what_a_node_does_stands_below_it(
    exported: Exported, work: Work, way: Callable[[Work], Work], given: bool
) -> None:
    with sentrial.begin("user_1", "agent"):
        graph_with(way(work)).invoke(ASKED, config(given))
    assert exported.tree == GRAPH
    assert exported.violations == []


@given
@sync_ways
async def test_so_does_a_synchronous_nodes_in_an_asynchronous_run(
    exported: Exported, work: Work, way: Callable[[Work], Work], given: bool
) -> None:
    with sentrial.begin("user_1", "agent"):
        await graph_with(way(work)).ainvoke(ASKED, config(given))
    assert exported.tree == GRAPH


@given
@async_ways
async def test_so_does_an_asynchronous_nodes(
    exported: Exported, work: Work, way: Callable[[Work], AsyncWork], given: bool
) -> None:
    with sentrial.begin("user_1", "agent"):
        await graph_with(way(work)).ainvoke(ASKED, config(given))
    assert exported.tree == GRAPH


# --- side by side ----------------------------------------------------------------------------------------------------

BRANCHES = ("left", "middle", "right")


def fan_out(together: Callable[[], Any]) -> Any:
    def branch(name: str, state: MessagesState) -> dict[str, Any]:
        with trace.get_tracer("db").start_as_current_span(f"before {name}"):
            together()
        with trace.get_tracer("db").start_as_current_span(f"after {name}"):
            return {}

    async def async_branch(name: str, state: MessagesState) -> dict[str, Any]:
        with trace.get_tracer("db").start_as_current_span(f"before {name}"):
            await together()
        with trace.get_tracer("db").start_as_current_span(f"after {name}"):
            return {}

    graph = StateGraph(MessagesState)
    for name in BRANCHES:
        body = async_branch if asyncio.iscoroutinefunction(together) else branch
        graph.add_node(name, functools.partial(body, name))
        graph.add_edge(START, name)
    return graph.compile(name="flow")


def check_branches(exported: Exported) -> None:
    workflow = exported.one("invoke_workflow flow")
    for name in BRANCHES:
        node = exported.one(f"node {name}")
        assert node["parent_span_id"] == workflow["span_id"]
        assert exported.one(f"before {name}")["parent_span_id"] == node["span_id"]
        assert exported.one(f"after {name}")["parent_span_id"] == node["span_id"]
    assert len(exported.trees) == 1


@given
def test_branches_in_threads_keep_apart(exported: Exported, given: bool) -> None:
    barrier = threading.Barrier(len(BRANCHES), timeout=20)
    with sentrial.begin("user_1", "agent"):
        fan_out(barrier.wait).invoke(ASKED, config(given))
    check_branches(exported)


@given
async def test_branches_in_tasks_keep_apart(exported: Exported, given: bool) -> None:
    waiting, all_there = 0, asyncio.Event()

    async def together() -> None:
        nonlocal waiting
        waiting += 1
        if waiting == len(BRANCHES):
            all_there.set()
        await asyncio.wait_for(all_there.wait(), 20)

    with sentrial.begin("user_1", "agent"):
        await fan_out(together).ainvoke(ASKED, config(given))
    check_branches(exported)
