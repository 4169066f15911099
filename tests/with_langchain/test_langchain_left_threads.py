"""What a thread goes on with when the task that waits for it is cancelled: it is paid for, and stays where it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

import sentrial
from langchain_scenarios import QUESTION, Exported
from langchain_scenarios.asking import INPUT, OUTPUT, Asking
from langchain_scenarios.inside import open_runs
from sentrial.langchain import SentrialCallbackHandler

ASKED = {"messages": [("user", QUESTION)]}


class Slow(Asking):
    """Answers when it is told to."""

    begun: Any
    may_answer: Any

    def _generate(self, *given: Any, **settings: Any) -> Any:
        self.begun.set()
        assert self.may_answer.wait(60)
        return super()._generate(*given, **settings)


class Left:
    """What a thread does for a request that is cancelled while it waits for the first of two answers."""

    def __init__(self) -> None:
        self.begun, self.may_answer = threading.Event(), threading.Event()

    def work(self, config: RunnableConfig | None = None) -> None:
        """Ask twice."""
        Slow(begun=self.begun, may_answer=self.may_answer).invoke("one", config)
        Asking().invoke("two", config)

    async def begin_and_cancel(self, runnable: Any, given: Any, config: Any) -> None:
        """Have ``runnable`` do the work, and let go of it."""
        asking = asyncio.create_task(runnable.ainvoke(given, config))
        while not self.begun.is_set():
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])

    async def ask(self, runnable: Any, config: Any) -> None:
        """Ask ``runnable``, which does the work, let go of it, and then let the work go on to its end."""
        with ThreadPoolExecutor(1) as pool:
            asyncio.get_running_loop().set_default_executor(pool)
            await self.begin_and_cancel(runnable, ASKED, config)
            self.may_answer.set()
            # On the very thread that the work is done on.
            await Asking().ainvoke(QUESTION, {"callbacks": [SentrialCallbackHandler()], "metadata": {"user_id": "bob"}})


def with_tool(work: Callable[[], None]) -> Any:
    @tool
    def look_up() -> str:
        """Look it up."""
        work()
        return "found"

    return create_agent(Asking(calls=[("look_up", {})]), [look_up], name="helper")


def with_node(work: Callable[[RunnableConfig], None]) -> Any:
    def node(state: MessagesState, config: RunnableConfig) -> None:
        work(config)  # on Python 3.10 LangGraph hands it on to nobody

    return StateGraph(MessagesState).add_node("look", node).add_edge(START, "look").compile(name="helper")


def with_graph_in_node(work: Callable[[RunnableConfig], None]) -> Any:
    async def node(state: MessagesState, config: RunnableConfig) -> Any:
        return await with_node(work).ainvoke(state, config)

    return StateGraph(MessagesState).add_node("outer", node).add_edge(START, "outer").compile(name="around")


RUNS = {
    "tool": (with_tool, ["  chat", "  execute_tool look_up", "    chat", "    chat"], 3),
    "node": (with_node, ["  invoke_workflow helper", "    node look", "      chat", "      chat"], 2),
    "graph in a node": (
        with_graph_in_node,
        [
            "  invoke_workflow around", "    node outer", "      invoke_agent helper", "        node look",
            "          chat", "          chat",
        ],
        2,
    ),
}  # fmt: skip

each_run = pytest.mark.parametrize(("make", "below", "calls"), RUNS.values(), ids=RUNS)


@each_run
async def test_what_a_left_thread_asks_counts_where_it_belongs(
    exported: Exported, make: Callable[..., Any], below: list[str], calls: int
) -> None:
    left, handler = Left(), SentrialCallbackHandler()
    await left.ask(make(left.work), {"callbacks": [handler], "metadata": {"user_id": "ann"}})
    assert handler.total_tokens == calls * (INPUT + OUTPUT)
    assert open_runs(handler) == []
    # Who comes next on that thread is in a session of their own.
    first, second = exported.trees
    assert first[1:] == below
    assert second[1:] == ["  chat"]
    ann, bob = (span["attributes"] for span in exported.spans if span["parent_span_id"] is None)
    assert (ann["user.id"], ann["sentrial.session.outcome"]) == ("ann", "cancelled")
    assert (bob["user.id"], bob["sentrial.session.outcome"]) == ("bob", "completed")
    assert ann["gen_ai.usage.input_tokens"] == calls * INPUT
    assert bob["gen_ai.usage.input_tokens"] == INPUT
    assert ann["sentrial.session.llm_calls"] == calls


@each_run
async def test_so_it_does_in_a_session_of_the_programs(
    exported: Exported, make: Callable[..., Any], below: list[str], calls: int
) -> None:
    left = Left()
    with sentrial.begin("ann", "around" if make is with_graph_in_node else "helper"):
        await left.ask(make(left.work), {"callbacks": [SentrialCallbackHandler()]})
    assert [line for line in exported.tree[1:] if line != "  chat"] == [line for line in below if line != "  chat"]


async def test_so_it_does_where_two_handlers_are_told(exported: Exported) -> None:
    left, handlers = Left(), [SentrialCallbackHandler(), SentrialCallbackHandler()]
    await left.ask(with_node(left.work), {"callbacks": handlers})
    assert [handler.llm_calls for handler in handlers] == [2, 2]
    assert exported.trees[0][1:] == RUNS["node"][1]


async def test_a_graph_that_gets_over_it_has_a_session_that_waits_for_the_thread(exported: Exported) -> None:
    left, handler = Left(), SentrialCallbackHandler()

    async def node(state: MessagesState, config: RunnableConfig) -> None:
        await left.begin_and_cancel(with_node(left.work), state, config)

    graph = StateGraph(MessagesState).add_node("outer", node).add_edge(START, "outer").compile(name="around")
    await graph.ainvoke(ASKED, {"callbacks": [handler]})
    left.may_answer.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    root = exported.one("invoke_agent around")
    assert root["attributes"]["sentrial.session.outcome"] == "completed"
    assert root["attributes"]["gen_ai.usage.input_tokens"] == 2 * INPUT
    assert root["end_ns"] < max(span["end_ns"] for span in exported.named("chat"))
