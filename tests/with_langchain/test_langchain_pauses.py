"""A graph that waits for a person: a pause and no error, and the same conversation when it goes on elsewhere, too."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

import sentrial
from langchain_scenarios import Exported
from langchain_scenarios.exported import tree_of
from receivers import OtlpHttpReceiver
from sentrial.langchain import SentrialCallbackHandler

THREAD = {"thread_id": "order-4711"}
TREE = ["invoke_agent refunds", "  invoke_workflow refunds", "    node approve"]

PROGRAM = """
import pickle, sys
from collections import defaultdict
from pathlib import Path

import sentrial
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    answer: str


def approve(state):
    return {"answer": interrupt("May I?")}


sentrial.configure(auto_session="call")
kept = InMemorySaver()
file = Path(sys.argv[1])
if file.exists():
    storage, kept.writes, kept.blobs = pickle.loads(file.read_bytes())
    for thread, spaces in storage.items():
        kept.storage[thread].update(spaces)
graph = StateGraph(State).add_node("approve", approve).add_edge(START, "approve")
graph = graph.compile(checkpointer=kept, name="refunds")
given = Command(resume="yes") if file.exists() else {"answer": ""}
print(graph.invoke(given, {"configurable": {"thread_id": "order-4711"}})["answer"])
storage = {thread: dict(spaces) for thread, spaces in kept.storage.items()}
file.write_bytes(pickle.dumps((storage, dict(kept.writes), dict(kept.blobs))))
"""


class State(TypedDict):
    answer: str


def approve(state: State) -> dict[str, Any]:
    return {"answer": interrupt("May I?")}


def graph() -> Any:
    built = StateGraph(State).add_node("approve", approve).add_edge(START, "approve")
    return built.compile(checkpointer=InMemorySaver(), name="refunds")


def check(roots: list[dict[str, Any]]) -> None:
    """The session that paused, and the one that went on."""
    assert [root["name"] for root in roots] == ["invoke_agent refunds"] * 2
    assert [root["attributes"]["sentrial.session.outcome"] for root in roots] == ["paused", "completed"]
    assert [root["status_code"] for root in roots] == [0, 0]
    for root in roots:
        assert root["attributes"]["gen_ai.conversation.id"] == "order-4711"
        assert root["attributes"]["session.id"] == "order-4711"


def test_an_interrupt_is_a_pause_and_the_rest_the_same_conversation(exported: Exported) -> None:
    refunds = graph()
    config = {"callbacks": [SentrialCallbackHandler()], "configurable": THREAD}
    assert refunds.invoke({"answer": ""}, config)["__interrupt__"][0].value == "May I?"
    assert refunds.invoke(Command(resume="yes"), config) == {"answer": "yes"}
    assert exported.trees == [TREE, TREE]
    check([span for span in exported.spans if span["parent_span_id"] is None])
    paused, gone_on = exported.named("node approve")
    assert (paused["status_code"], paused["attributes"]["sentrial.outcome"]) == (0, "paused")
    assert (gone_on["status_code"], "sentrial.outcome" in gone_on["attributes"]) == (0, False)
    assert exported.violations == []


def outcomes(exported: Exported, name: str) -> list[str]:
    return [span["attributes"]["sentrial.session.outcome"] for span in exported.named(name)]


def asking(*, answer: str | None) -> Callable[[Any], Any]:
    """Runs the graph in a thread of its own, and goes on with it at once where it has the ``answer``."""

    def ask(_: Any) -> dict[str, Any]:
        refunds, config = graph(), {"configurable": THREAD}
        given = refunds.invoke({"answer": ""}, config)
        return dict(given if answer is None else refunds.invoke(Command(resume=answer), config))

    return ask


def node(ask: Callable[[Any], Any]) -> Runnable[Any, Any]:
    return StateGraph(State).add_node("ask", lambda _: {"answer": ask(_)["answer"]}).add_edge(START, "ask").compile()


def body_of_a_tool(ask: Callable[[Any], Any]) -> Runnable[Any, Any]:
    @tool
    def ask_for_it() -> str:
        """Ask."""
        return str(ask(None)["answer"])

    return RunnableLambda(lambda _: {}) | ask_for_it


@pytest.mark.parametrize("around", [node, body_of_a_tool])
def test_what_goes_on_in_the_same_run_is_no_pause_of_what_is_around(
    exported: Exported, around: Callable[[Any], Runnable[Any, Any]]
) -> None:
    config = {"callbacks": [SentrialCallbackHandler()], "run_name": "shop"}
    around(asking(answer="yes")).invoke({"answer": ""}, config)
    assert outcomes(exported, "invoke_agent shop") == ["completed"]
    assert outcomes(exported, "invoke_agent refunds") == ["paused", "completed"]


@pytest.mark.parametrize("around", [node, body_of_a_tool])
def test_what_a_node_or_a_tool_does_about_a_graph_that_waits_is_its_own_affair(
    exported: Exported, around: Callable[[Any], Runnable[Any, Any]]
) -> None:
    config = {"callbacks": [SentrialCallbackHandler()], "run_name": "shop"}
    around(asking(answer=None)).invoke({"answer": ""}, config)
    assert outcomes(exported, "invoke_agent shop") == ["completed"]
    assert outcomes(exported, "invoke_agent refunds") == ["paused"]


@pytest.mark.parametrize(("answer", "outcome"), [(None, "paused"), ("yes", "completed")])
def test_a_chain_waits_with_the_graph_in_it_until_that_goes_on(
    exported: Exported, answer: str | None, outcome: str
) -> None:
    config = {"callbacks": [SentrialCallbackHandler()], "run_name": "shop"}
    (RunnableLambda(asking(answer=answer)) | RunnableLambda(dict)).invoke({}, config)
    assert outcomes(exported, "invoke_agent shop") == [outcome]


def test_a_graph_waits_with_the_graphs_in_its_nodes(exported: Exported) -> None:
    inner = StateGraph(State).add_node("approve", approve).add_edge(START, "approve").compile(name="refunds")
    outer = StateGraph(State).add_node("refund", inner).add_edge(START, "refund")
    shop = outer.compile(checkpointer=InMemorySaver(), name="shop")
    config = {"callbacks": [SentrialCallbackHandler()], "configurable": THREAD}
    shop.invoke({"answer": ""}, config)
    shop.invoke(Command(resume="yes"), config)
    assert outcomes(exported, "invoke_agent shop") == ["paused", "completed"]
    assert outcomes(exported, "invoke_agent refunds") == ["paused", "completed"]


def two_steps() -> Any:
    """A graph that looks, and then pays."""
    look = StateGraph(State).add_node("look", lambda _: {"answer": "seen"}).add_edge(START, "look")
    return look.add_node("pay", lambda _: {"answer": "paid"}).add_edge("look", "pay")


def stopping(**breakpoints: list[str]) -> Any:
    return two_steps().compile(checkpointer=InMemorySaver(), name="refunds", **breakpoints)


AT_A_BREAKPOINT = [
    {"interrupt_before": ["look"]},
    {"interrupt_before": ["pay"]},
    {"interrupt_after": ["look"]},
    {"interrupt_after": ["pay"]},
]


@pytest.mark.parametrize("breakpoints", AT_A_BREAKPOINT)
@pytest.mark.parametrize("given_to", ["compile", "invoke"])
def test_a_graph_waits_at_a_breakpoint(exported: Exported, breakpoints: dict[str, list[str]], given_to: str) -> None:
    config = {"callbacks": [SentrialCallbackHandler()], "configurable": THREAD}
    refunds = stopping(**breakpoints) if given_to == "compile" else stopping()
    refunds.invoke({"answer": ""}, config, **({} if given_to == "compile" else breakpoints))
    assert refunds.invoke(None, config) == {"answer": "paid"}
    check([span for span in exported.spans if span["parent_span_id"] is None])
    assert exported.violations == []


@pytest.mark.parametrize("breakpoints", AT_A_BREAKPOINT)
async def test_an_awaited_graph_waits_at_a_breakpoint(exported: Exported, breakpoints: dict[str, list[str]]) -> None:
    config = {"callbacks": [SentrialCallbackHandler()], "configurable": THREAD}
    refunds = stopping(**breakpoints)
    await refunds.ainvoke({"answer": ""}, config)
    assert await refunds.ainvoke(None, config) == {"answer": "paid"}
    check([span for span in exported.spans if span["parent_span_id"] is None])


def test_a_graph_without_a_handler_waits_at_a_breakpoint(collector: OtlpHttpReceiver, exported: Exported) -> None:
    sentrial.configure(otlp_endpoint=collector.url, auto_session="call")
    refunds, config = stopping(interrupt_before=["pay"]), {"configurable": THREAD}
    refunds.invoke({"answer": ""}, config)
    refunds.invoke(None, config)
    assert outcomes(exported, "invoke_agent refunds") == ["paused", "completed"]


def test_a_chain_waits_with_the_graph_in_it_at_a_breakpoint(exported: Exported) -> None:
    refunds = stopping(interrupt_before=["look"])
    config = {"callbacks": [SentrialCallbackHandler()], "run_name": "shop", "configurable": THREAD}
    (RunnableLambda(dict) | refunds).invoke({"answer": ""}, config)
    assert outcomes(exported, "invoke_agent shop") == ["paused"]


def test_a_graph_waits_at_the_breakpoint_of_one_in_its_nodes(exported: Exported) -> None:
    inner = two_steps().compile(name="refunds", interrupt_before=["pay"])
    outer = StateGraph(State).add_node("refund", inner)
    shop = outer.add_edge(START, "refund").compile(checkpointer=InMemorySaver(), name="shop")
    config = {"callbacks": [SentrialCallbackHandler()], "configurable": THREAD}
    shop.invoke({"answer": ""}, config)
    shop.invoke(None, config)
    assert outcomes(exported, "invoke_agent shop") == ["paused", "completed"]
    assert outcomes(exported, "invoke_agent refunds") == ["paused", "completed"]


def test_another_process_goes_on_with_the_conversation(tmp_path: Path) -> None:
    with OtlpHttpReceiver() as collector:
        given = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = {
            **given,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            "SENTRIAL_STORE": "",
            "SENTRIAL_FLUSH_TIMEOUT": "60",
        }
        answers = [
            subprocess.run(
                [sys.executable, "-c", PROGRAM, str(tmp_path / "kept")],
                env=environment, capture_output=True, text=True, timeout=60, check=True,
            ).stdout.split()
            for _ in range(2)
        ]  # fmt: skip
        spans = sorted(collector.spans, key=lambda span: span["start_ns"])
    assert answers == [[], ["yes"]]
    traces = list(dict.fromkeys(span["trace_id"] for span in spans))
    trees = [tree_of([span for span in spans if span["trace_id"] == trace]) for trace in traces]
    assert trees == [TREE, TREE]
    check([span for span in spans if span["parent_span_id"] is None])
