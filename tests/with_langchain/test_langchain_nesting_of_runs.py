"""Models, agents and graphs inside nodes and tools: each once, and below what it runs in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

import sentrial
from langchain_scenarios import QUESTION, Exported, Models
from langchain_scenarios.asking import Asking
from langchain_scenarios.inside import open_runs
from sentrial.langchain import SentrialCallbackHandler

ASKED = {"messages": [("user", QUESTION)]}
TOKENS = "gen_ai.usage.input_tokens"
OF_OPENAI = 1200
"""What the server charges for an answer."""

given = pytest.mark.parametrize("given", [False, True], ids=["zero code", "a handler"])
passed = pytest.mark.parametrize("passed", [False, True], ids=["without config", "with config"])


def config(given: bool) -> dict[str, Any]:
    return {"callbacks": [SentrialCallbackHandler()]} if given else {}


# --- models ----------------------------------------------------------------------------------------------------------


@given
@passed
@pytest.mark.parametrize("streams", [False, True], ids=["plain", "streamed"])
def test_a_models_call_inside_a_tool_is_recorded_once_below_it(
    exported: Exported, models: Models, given: bool, passed: bool, streams: bool
) -> None:
    model = models.openai()

    @tool
    def summarize(text: str, config: RunnableConfig) -> str:
        """Summarize."""
        chosen = config if passed else None
        if streams:
            return "".join(piece.text for piece in model.stream(text, chosen))
        return str(model.invoke(text, chosen).content)

    agent = create_agent(Asking(calls=[("summarize", {"text": "it"})]), [summarize])
    with sentrial.begin("user_1", "agent"):
        agent.invoke(ASKED, config(given))
    assert exported.tree == [
        "invoke_agent agent",
        "  chat",
        "  execute_tool summarize",
        "    chat gpt-4.1-mini",
        "  chat",
    ]
    assert exported.one("chat gpt-4.1-mini")["attributes"][TOKENS] == OF_OPENAI
    assert exported.one("invoke_agent agent")["attributes"][TOKENS] == OF_OPENAI + 2 * 7
    assert exported.violations == []


@given
@passed
@pytest.mark.parametrize("streams", [False, True], ids=["plain", "streamed"])
async def test_an_asynchronous_one_inside_a_node_too(
    exported: Exported, models: Models, given: bool, passed: bool, streams: bool
) -> None:
    model = models.openai()

    async def answer(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        chosen = config if passed else None
        if streams:
            return {"messages": [("ai", "".join([piece.text async for piece in model.astream(QUESTION, chosen)]))]}
        return {"messages": [await model.ainvoke(QUESTION, chosen)]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    with sentrial.begin("user_1", "agent"):
        await graph.compile(name="flow").ainvoke(ASKED, config(given))
    assert exported.tree == [
        "invoke_agent agent",
        "  invoke_workflow flow",
        "    node answer",
        "      chat gpt-4.1-mini",
    ]
    assert exported.one("invoke_agent agent")["attributes"][TOKENS] == OF_OPENAI
    assert exported.one("invoke_agent agent")["attributes"]["sentrial.session.llm_calls"] == 1


# --- agents and graphs -----------------------------------------------------------------------------------------------


@tool
def weather(city: str) -> str:
    """What the weather will be."""
    return f"rain in {city}"


def researcher() -> Any:
    return create_agent(Asking(calls=[("weather", {"city": "Lisbon"})]), [weather], name="researcher")


SUB_AGENT = [
    "invoke_agent agent",
    "  chat",
    "  execute_tool research",
    "    invoke_agent researcher",
    "      chat",
    "      execute_tool weather",
    "      chat",
    "  chat",
]


@given
@passed
def test_an_agent_as_a_tool_is_a_sub_agent_below_it(exported: Exported, given: bool, passed: bool) -> None:
    @tool
    def research(question: str, config: RunnableConfig) -> str:
        """Research."""
        result = researcher().invoke({"messages": [("user", question)]}, config if passed else None)
        return str(result["messages"][-1].content)

    agent = create_agent(Asking(calls=[("research", {"question": QUESTION})]), [research])
    with sentrial.begin("user_1", "agent"):
        agent.invoke(ASKED, config(given))
    assert exported.tree == SUB_AGENT
    sub = exported.one("invoke_agent researcher")["attributes"]
    assert (sub[TOKENS], sub["sentrial.session.tool_calls"]) == (2 * 7, 1)
    root = exported.one("invoke_agent agent")["attributes"]
    assert (root[TOKENS], root["sentrial.session.tool_calls"]) == (4 * 7, 2)


@given
@passed
async def test_so_is_an_asynchronous_one(exported: Exported, given: bool, passed: bool) -> None:
    @tool
    async def research(question: str, config: RunnableConfig) -> str:
        """Research."""
        asked = {"messages": [("user", question)]}
        return str((await researcher().ainvoke(asked, config if passed else None))["messages"][-1].content)

    agent = create_agent(Asking(calls=[("research", {"question": QUESTION})]), [research])
    with sentrial.begin("user_1", "agent"):
        await agent.ainvoke(ASKED, config(given))
    assert exported.tree == SUB_AGENT


async def test_sub_agents_side_by_side_keep_their_tools(exported: Exported) -> None:
    """Pain B7, in LangGraph."""
    here, both = 0, asyncio.Event()

    async def meet(city: str) -> str:
        nonlocal here
        here += 1
        if here == 2:
            both.set()
        await asyncio.wait_for(both.wait(), 20)
        return city

    graph = StateGraph(MessagesState)
    for name in ("north", "south"):
        meeting = tool(f"weather_{name}", description="What the weather will be.")(meet)
        model = Asking(calls=[(f"weather_{name}", {"city": name})])
        graph.add_node(name, create_agent(model, [meeting], name=name))
        graph.add_edge(START, name)
    with sentrial.begin("user_1", "agent"):
        await graph.compile(name="flow").ainvoke(ASKED)
    workflow = exported.one("invoke_workflow flow")
    for name in ("north", "south"):
        agent = exported.one(f"invoke_agent {name}")
        node = exported.one(f"node {name}")
        assert (agent["parent_span_id"], node["parent_span_id"]) == (node["span_id"], workflow["span_id"])
        assert exported.one(f"execute_tool weather_{name}")["parent_span_id"] == agent["span_id"]
        assert [span["parent_span_id"] for span in exported.named("chat")].count(agent["span_id"]) == 2


# --- handlers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["both given", "the same twice", "one in the model"])
async def test_two_handlers_make_one_set_of_spans_and_both_count(
    exported: Exported, models: Models, place: str
) -> None:
    one, other = SentrialCallbackHandler(), SentrialCallbackHandler()
    callbacks = {"both given": [one, other], "the same twice": [one, one], "one in the model": [one]}[place]
    model = models.openai(callbacks=[other] if place == "one in the model" else None)
    chain = RunnableLambda(lambda text: text) | model
    await chain.ainvoke(QUESTION, {"callbacks": callbacks})
    chain.invoke(QUESTION, {"callbacks": callbacks})
    for tree in exported.trees:
        assert tree[1:] == ["  chat gpt-4.1-mini"]
        assert tree[0].startswith("invoke_agent ")
    assert len(exported.trees) == 2
    for handler in (one, one if place == "the same twice" else other):
        assert (handler.llm_calls, handler.total_prompt_tokens) == (2, 2 * OF_OPENAI)


def test_a_handler_inside_a_run_that_is_followed_already_only_counts(exported: Exported) -> None:
    """Zero code follows the agent; a model of its own has a handler of the program's."""
    handler = SentrialCallbackHandler()
    agent = create_agent(Asking(calls=[("weather", {"city": "Lisbon"})], callbacks=[handler]), [weather])
    with sentrial.begin("user_1", "agent"):
        agent.invoke(ASKED)
    assert exported.tree == ["invoke_agent agent", "  chat", "  execute_tool weather", "  chat"]
    assert (handler.llm_calls, handler.total_prompt_tokens) == (2, 2 * 7)
    assert exported.one("invoke_agent agent")["attributes"]["sentrial.session.llm_calls"] == 2


def test_a_handler_that_only_counts_knows_what_runs_and_forgets_what_is_over(exported: Exported) -> None:
    one, other = SentrialCallbackHandler(), SentrialCallbackHandler()
    running: list[dict[str, Any]] = []

    @tool
    def look_up() -> str:
        """Look it up."""
        running.extend([one.tool_runs, other.tool_runs])
        return "Lisbon"

    create_agent(Asking(calls=[("look_up", {})]), [look_up]).invoke(ASKED, {"callbacks": [one, other]})
    assert [list(each.values()) for each in running] == [["look_up"], ["look_up"]]
    assert (open_runs(one), open_runs(other)) == ([], [])
    assert (one.tool_runs, other.tool_runs) == ({}, {})


@pytest.mark.parametrize("in_tool", [False, True], ids=["in a node", "in a tool"])
def test_a_handler_inside_of_what_is_in_no_session_opens_one_that_is_whole(exported: Exported, in_tool: bool) -> None:
    @tool
    def look_up() -> str:
        """Look it up."""
        return "Lisbon"

    inner = create_agent(Asking(calls=[("look_up", {})]), [look_up], name="inner")
    handler = SentrialCallbackHandler()

    @tool
    def ask() -> str:
        """Ask the other one."""
        return str(inner.invoke(ASKED, {"callbacks": [handler]})["messages"][-1].text)

    if in_tool:
        create_agent(Asking(calls=[("ask", {})]), [ask]).invoke(ASKED)
    else:
        graph = StateGraph(MessagesState)
        graph.add_node("asks", lambda _: {"messages": [ask.func() if ask.func else ""]})
        graph.add_edge(START, "asks")
        graph.compile().invoke(ASKED)
    root = exported.one("invoke_agent inner")
    assert root["attributes"]["sentrial.session.llm_calls"] == handler.llm_calls == 2
    inside = [span["name"] for span in exported.spans if span["parent_span_id"] == root["span_id"]]
    assert sorted(inside) == ["chat", "chat", "execute_tool look_up"]
