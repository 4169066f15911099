"""A run that the program gives a handler is recorded by that one, whatever is recorded around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackManager, CallbackManager
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

import sentrial
from langchain_scenarios import QUESTION, Exported
from langchain_scenarios.asking import Asking
from receivers import OtlpHttpReceiver
from sentrial._frameworks.langchain.giving_way import give_way
from sentrial._frameworks.langchain.handler import RunHandler
from sentrial.langchain import SentrialCallbackHandler

ASKED = {"messages": [("user", QUESTION)]}

# --- how a model gets a handler --------------------------------------------------------------------------------------

Giving = Callable[[SentrialCallbackHandler], Runnable[Any, Any]]


def in_its_constructor(handler: SentrialCallbackHandler) -> Runnable[Any, Any]:
    return Asking(callbacks=[handler])


def bound(handler: SentrialCallbackHandler) -> Runnable[Any, Any]:
    return Asking().with_config(callbacks=[handler])


def bound_in_a_manager(handler: SentrialCallbackHandler) -> Runnable[Any, Any]:
    return Asking().with_config(callbacks=CallbackManager([handler], [handler]))


def around_it(handler: SentrialCallbackHandler) -> Runnable[Any, Any]:
    return (RunnableLambda(str) | Asking()).with_config(callbacks=[handler])


givings = pytest.mark.parametrize("giving", [in_its_constructor, bound, bound_in_a_manager, around_it])

# --- what it is a part of --------------------------------------------------------------------------------------------


def chain(model: Runnable[Any, Any]) -> Runnable[Any, Any]:
    return RunnableLambda(lambda _: QUESTION) | model


def branches(model: Runnable[Any, Any]) -> Runnable[Any, Any]:
    return RunnableLambda(lambda _: QUESTION) | RunnableParallel(only=model)


def node(model: Runnable[Any, Any]) -> Runnable[Any, Any]:
    def ask(state: MessagesState) -> Any:
        return {"messages": [("ai", str(model.invoke(QUESTION)))]}

    return StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask").compile()


def graph_in_a_node(model: Runnable[Any, Any]) -> Runnable[Any, Any]:
    return StateGraph(MessagesState).add_node("inner", node(model)).add_edge(START, "inner").compile()


def body_of_a_tool(model: Runnable[Any, Any]) -> Runnable[Any, Any]:
    @tool
    def search() -> str:
        """Search."""
        return str(model.invoke(QUESTION))

    return RunnableLambda(lambda _: {}) | search


programs = pytest.mark.parametrize("program", [chain, branches, node, graph_in_a_node, body_of_a_tool])


@pytest.fixture(params=["call", "off"])
def recorded(request: pytest.FixtureRequest, collector: OtlpHttpReceiver) -> str:
    """LangChain is recorded, and sessions begin by themselves, or do not."""
    sentrial.configure(otlp_endpoint=collector.url, instrument=["langchain"], auto_session=request.param)
    return str(request.param)


async def all_ways(program: Runnable[Any, Any]) -> int:
    """Run it in every way that there is; gives how often."""
    program.invoke(ASKED)
    list(program.stream(ASKED))
    program.batch([ASKED])
    await asyncio.to_thread(program.invoke, ASKED)
    await program.ainvoke(ASKED)
    await program.abatch([ASKED])
    _ = [piece async for piece in program.astream(ASKED)]
    _ = [event async for event in program.astream_events(ASKED, version="v2")]
    return 8


@givings
@programs
@pytest.mark.usefixtures("recorded")
async def test_the_session_of_a_handler_has_the_calls_of_the_models_that_it_is_given_to(
    exported: Exported, giving: Giving, program: Callable[[Runnable[Any, Any]], Runnable[Any, Any]]
) -> None:
    session = sentrial.begin("user_1", "mine")
    handler = SentrialCallbackHandler(session_id=session.session_id)
    sentrial.clear_session_context()
    times = await all_ways(program(giving(handler)))
    session.finish()
    assert handler.llm_calls == times
    root = exported.one("invoke_agent mine")
    assert root["attributes"]["sentrial.session.llm_calls"] == times
    calls = exported.named("chat")
    assert [call["parent_span_id"] for call in calls] == [root["span_id"]] * times


@givings
@pytest.mark.parametrize("recorded", ["call"], indirect=True)
@pytest.mark.usefixtures("recorded")
def test_a_handler_without_a_session_records_in_the_one_around_it(exported: Exported, giving: Giving) -> None:
    handler = SentrialCallbackHandler()
    node(giving(handler)).with_config(run_name="flow").invoke(ASKED)
    assert exported.tree == ["invoke_agent flow", "  invoke_workflow flow", "    node ask", "      chat"]
    assert exported.one("invoke_agent flow")["attributes"]["sentrial.session.llm_calls"] == handler.llm_calls == 1


@pytest.mark.usefixtures("recorded")
def test_a_call_stands_below_the_named_chain_around_it_whoever_records_that(exported: Exported) -> None:
    handler = SentrialCallbackHandler()
    with sentrial.begin("user_1", "agent"):
        chain(bound(handler)).with_config(run_name="flow").invoke(ASKED)
    assert exported.tree == ["invoke_agent agent", "  invoke_workflow flow", "    chat"]
    assert handler.llm_calls == 1


@pytest.mark.usefixtures("recorded")
def test_what_a_handler_is_not_handed_on_to_stands_below_its_run_all_the_same(exported: Exported) -> None:
    @tool
    def search() -> str:
        """Search."""
        return str(Asking().invoke(QUESTION))

    session = sentrial.begin("user_1", "mine")
    handler = SentrialCallbackHandler(session_id=session.session_id)
    sentrial.clear_session_context()
    search.callbacks = [handler]
    search.invoke({})
    session.finish()
    assert exported.tree == ["invoke_agent mine", "  execute_tool search", "    chat"]
    assert handler.llm_calls == 1


@pytest.mark.usefixtures("collector")
def test_langchain_is_told_it_once() -> None:
    sentrial.configure(instrument=["langchain"])
    CallbackManager.configure()
    before = BaseCallbackManager.add_handler
    give_way(RunHandler)
    assert BaseCallbackManager.add_handler is before
    assert before.__name__ == "add_handler"
