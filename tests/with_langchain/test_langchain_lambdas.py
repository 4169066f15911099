"""Functions of the program's own in a chain: what they call is where they are, and nothing is once they are over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnableParallel, chain
from langgraph.graph import START, StateGraph
from opentelemetry import trace

import sentrial
from fake_provider import FakeProvider
from langchain_scenarios import QUESTION, Exported
from langchain_scenarios.asking import Asking, Streaming
from receivers import OtlpHttpReceiver
from sentrial.langchain import SentrialCallbackHandler


@sentrial.tool
def look_up(question: str) -> str:
    """Look it up."""
    return f"{question} Row 7."


@chain
def rewrite(question: str) -> str:
    """Say it better."""
    return look_up(question)


@chain
async def rewrite_later(question: str) -> str:
    """Say it better, after a while."""
    await asyncio.sleep(0)
    return look_up(question)


def is_free() -> bool:
    """Whether nothing is current here."""
    return not trace.get_current_span().get_span_context().is_valid


async def invoke(runnable: Any, config: Any) -> None:
    runnable.invoke(QUESTION, config)


async def ainvoke(runnable: Any, config: Any) -> None:
    await runnable.ainvoke(QUESTION, config)


async def batch(runnable: Any, config: Any) -> None:
    runnable.batch([QUESTION], config)


async def abatch(runnable: Any, config: Any) -> None:
    await runnable.abatch([QUESTION], config)


each_way = pytest.mark.parametrize("run", [invoke, ainvoke, batch, abatch], ids=lambda run: run.__name__)
by_handler = pytest.mark.parametrize("by_handler", [True, False], ids=["a handler", "zero code"])


@each_way
@by_handler
async def test_what_a_lambda_calls_is_in_the_session_of_its_chain(
    exported: Exported, collector: OtlpHttpReceiver, run: Callable[[Any, Any], Any], by_handler: bool
) -> None:
    if not by_handler:
        sentrial.configure(otlp_endpoint=collector.url, auto_session="call")
    lambdas = rewrite_later if run in (ainvoke, abatch) else rewrite
    asking = (lambdas | ChatPromptTemplate.from_template("{it}") | Asking()).with_config(run_name="ask")
    callbacks = [SentrialCallbackHandler()] if by_handler else []
    for _ in range(2):
        await run(asking, {"callbacks": callbacks})
        assert is_free()
    assert exported.trees == [["invoke_agent ask", "  execute_tool look_up", "  chat"]] * 2


@each_way
async def test_a_lambda_alone_is_a_session(exported: Exported, run: Callable[[Any, Any], Any]) -> None:
    lambdas = rewrite_later if run in (ainvoke, abatch) else rewrite
    await run(lambdas, {"callbacks": [SentrialCallbackHandler()], "run_name": "ask"})
    assert is_free()
    assert exported.tree == ["invoke_agent ask", "  execute_tool look_up"]


@each_way
async def test_a_lambda_with_a_name_is_a_workflow_around_what_it_calls(
    exported: Exported, run: Callable[[Any, Any], Any]
) -> None:
    with sentrial.begin("user_1", "agent"):
        before = trace.get_current_span()
        await run(rewrite, {"callbacks": [SentrialCallbackHandler()], "run_name": "ask"})
        assert trace.get_current_span() is before
    assert exported.tree == ["invoke_agent agent", "  invoke_workflow ask", "    execute_tool look_up"]


def test_a_patched_clients_call_in_a_lambda_is_in_the_session(
    exported: Exported, collector: OtlpHttpReceiver, server: FakeProvider
) -> None:
    import openai

    sentrial.configure(otlp_endpoint=collector.url)
    client = openai.OpenAI(api_key="sk-test", base_url=server.base_url)

    def ask(question: str) -> str:
        asked = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": question}])
        return str(asked.choices[0].message.content)

    with client:
        asking = (RunnableLambda(ask) | Asking()).with_config(run_name="ask")
        asking.invoke(QUESTION, {"callbacks": [SentrialCallbackHandler()]})
    assert exported.tree == ["invoke_agent ask", "  chat gpt-4o", "  chat"]


def test_models_and_lambdas_in_lambdas_are_recorded_once(exported: Exported) -> None:
    @chain
    def outer(question: str) -> str:
        @chain
        def inner(question: str) -> str:
            return str(Asking().invoke(look_up(question)).content)

        with sentrial.begin("user_1", "helper"):
            return inner.invoke(inner.invoke(question))

    handler = SentrialCallbackHandler()
    outer.invoke(QUESTION, {"callbacks": [handler], "run_name": "ask"})
    assert handler.llm_calls == len(exported.named("chat")) == len(exported.named("execute_tool look_up")) == 2


def test_lambdas_side_by_side_keep_what_they_call(exported: Exported) -> None:
    both = RunnableParallel(one=rewrite | Asking(), other=rewrite | Asking())
    both.invoke(QUESTION, {"callbacks": [SentrialCallbackHandler()], "run_name": "ask"})
    (tree,) = exported.trees
    assert tree[0] == "invoke_agent ask"
    assert sorted(tree[1:]) == ["  chat", "  chat", "  execute_tool look_up", "  execute_tool look_up"]


@by_handler
def test_a_lambda_in_a_node_is_in_the_node(exported: Exported, by_handler: bool) -> None:
    def node(state: Any) -> Any:
        (rewrite | Asking()).invoke(QUESTION)
        return {}

    graph = StateGraph(dict).add_node("node", node).add_edge(START, "node").compile(name="helper")
    with sentrial.begin("user_1", "agent"):
        graph.invoke({}, {"callbacks": [SentrialCallbackHandler()] if by_handler else []})
    assert exported.tree == [
        "invoke_agent agent",
        "  invoke_workflow helper",
        "    node node",
        "      execute_tool look_up",
        "      chat",
    ]


def test_a_lambda_that_fails_is_left(exported: Exported) -> None:
    def fail(question: str) -> str:
        look_up(question)
        raise KeyError(question)

    asking = (RunnableLambda(fail) | Asking()).with_config(run_name="ask")
    with pytest.raises(KeyError):
        asking.invoke(QUESTION, {"callbacks": [SentrialCallbackHandler()]})
    assert is_free()
    assert exported.tree == ["invoke_agent ask", "  execute_tool look_up"]
    assert exported.one("invoke_agent ask")["attributes"]["sentrial.session.outcome"] == "failed"


@pytest.mark.parametrize("last", [Streaming(), RunnableLambda(str)], ids=["model", "lambda"])
async def test_between_the_chunks_of_a_stream_with_lambdas_nothing_is_current(exported: Exported, last: Any) -> None:
    asking = (rewrite | last).with_config(run_name="ask")
    config: Any = {"callbacks": [SentrialCallbackHandler()]}
    for _ in asking.stream(QUESTION, config):
        assert is_free()
    async for _ in asking.astream(QUESTION, config):
        assert is_free()
    assert is_free()
    assert [span["attributes"]["sentrial.session.outcome"] for span in exported.named("invoke_agent ask")] == [
        "completed",
        "completed",
    ]
