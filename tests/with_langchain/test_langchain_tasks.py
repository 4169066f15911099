"""LangGraph's functional API: a task is a node below what calls it, and a graph is named after its entrypoint."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from opentelemetry import trace
from typing_extensions import TypedDict

import sentrial
from langchain_scenarios import Exported
from receivers import OtlpHttpReceiver
from sentrial.langchain import SentrialCallbackHandler


class State(TypedDict):
    answer: str


def handled() -> Any:
    return {"callbacks": [SentrialCallbackHandler()]}


@task
def look(place: str) -> str:
    with trace.get_tracer("db").start_as_current_span("SELECT"):
        return f"nothing at {place}"


@task(name="search")
def search_all(place: str, further: int = 1) -> str:
    # What is called like the task, in the task, is none.
    RunnableLambda(str, name="search").invoke(place)
    return str(search_all(place, further - 1).result() if further else look(place).result())


@task
def write(notes: str) -> str:
    raise ValueError("no paper")


@task
def plan(topic: str) -> str:
    return topic


@entrypoint()
def essay(topic: str) -> str:
    def write_it(notes: str) -> str:
        try:
            return str(write(notes).result())
        except ValueError:
            return "no essay"

    notes = search_all(plan(topic).result()).result()
    return str(RunnableLambda(write_it).invoke(notes))


TREE = [
    "  invoke_workflow essay",
    "    node essay",
    "      plan essay",
    "      node search",
    "        node search",
    "          node look",
    "            SELECT",
    "      node write",
]


def invoked() -> Any:
    return essay.invoke("cats", handled())


def awaited() -> Any:
    return asyncio.run(essay.ainvoke("cats", handled()))


# LangGraph itself has no tasks in what is awaited before Python 3.11.
WAYS = [invoked] + ([awaited] if sys.version_info >= (3, 11) else [])


@pytest.mark.parametrize("run", WAYS)
def test_tasks_are_nodes_below_what_calls_them(exported: Exported, run: Callable[[], Any]) -> None:
    assert run() == "no essay"
    assert exported.tree == ["invoke_agent essay", *TREE]
    assert exported.one("node write")["attributes"]["error.type"] == "ValueError"
    assert exported.one("invoke_agent essay")["attributes"]["gen_ai.agent.name"] == "essay"
    assert exported.violations == []


def test_an_entrypoint_without_a_handler_is_named_all_the_same(collector: OtlpHttpReceiver, exported: Exported) -> None:
    sentrial.configure(otlp_endpoint=collector.url, auto_session="call")
    essay.invoke("cats")
    assert exported.tree == ["invoke_agent essay", *TREE]


async def test_an_asynchronous_task_is_a_node_too(exported: Exported) -> None:
    @task
    async def fetch(place: str) -> str:
        with trace.get_tracer("db").start_as_current_span("SELECT"):
            return f"nothing at {place}"

    @entrypoint()
    async def search(place: str) -> str:
        return str(await fetch(place))

    tree = ["invoke_agent search", "  invoke_workflow search", "    node search"]
    if sys.version_info >= (3, 11):
        assert await search.ainvoke("home", handled()) == "nothing at home"
        tree += ["      node fetch", "        SELECT"]
    else:
        with pytest.raises(RuntimeError, match="get_config"):  # LangGraph's own
            await search.ainvoke("home", handled())
    assert exported.tree == tree


def test_a_name_of_the_program_s_stays(exported: Exported) -> None:
    with sentrial.begin("user_1", "writer"):
        essay.invoke("cats", handled())
    essay.invoke("cats", {**handled(), "run_name": "homework"})
    writer = [line.replace("plan essay", "plan writer") for line in TREE]
    homework = ["  invoke_workflow homework", *(line.replace("plan essay", "plan homework") for line in TREE[1:])]
    assert exported.trees == [["invoke_agent writer", *writer], ["invoke_agent homework", *homework]]


def test_an_entrypoint_in_a_task_is_a_sub_agent(exported: Exported) -> None:
    @task
    def delegate(topic: str) -> str:
        return str(essay.invoke(topic))

    @entrypoint()
    def paper(topic: str) -> str:
        return str(delegate(topic).result())

    paper.invoke("cats", handled())
    inner = ["        invoke_agent essay", *("      " + line for line in TREE[1:])]
    around = ["invoke_agent paper", "  invoke_workflow paper", "    node paper", "      node delegate"]
    assert exported.tree == [*around, *inner]


def test_the_node_of_a_graph_calls_tasks(exported: Exported) -> None:
    graph = StateGraph(State).add_node("find", lambda _: {"answer": search_all("home", 0).result()})
    graph.add_edge(START, "find").compile(name="finder").invoke({"answer": ""}, handled())
    assert exported.tree == [
        "invoke_agent finder",
        "  invoke_workflow finder",
        "    node find",
        "      node search",
        "        node look",
        "          SELECT",
    ]


def test_a_task_that_waits_is_paused(exported: Exported) -> None:
    @task
    def ask(question: str) -> str:
        return str(interrupt(question))

    @entrypoint(checkpointer=InMemorySaver())
    def approval(question: str) -> str:
        return str(ask(question).result())

    config = {**handled(), "configurable": {"thread_id": "order-4711"}}
    approval.invoke("May I?", config)
    assert approval.invoke(Command(resume="yes"), config) == "yes"
    roots = exported.named("invoke_agent approval")
    assert [root["attributes"]["sentrial.session.outcome"] for root in roots] == ["paused", "completed"]
    assert [ask["attributes"].get("sentrial.outcome") for ask in exported.named("node ask")] == ["paused", None]
