"""What a person approves was asked for in another session: the tool that runs links to the call there."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

import sentrial
from langchain_scenarios import Exported
from receivers import OtlpHttpReceiver
from sentrial._spans import paused_requests
from sentrial.langchain import SentrialCallbackHandler

REFUND = {"name": "refund", "args": {"order": 4711}, "id": "call_1"}
GIVEN = {"messages": [("user", "Refund 4711.")]}


@tool
def refund(order: int) -> str:
    """Refund an order."""
    return f"{order} is refunded"


@tool("refund")
def refund_if_allowed(order: int) -> str:
    """Refund an order."""
    return f"{order}: {interrupt('May I?')}"


def by_request(used: Any) -> Any:
    """Passes the tool the whole of what was asked for."""
    return lambda state: {"messages": [used.invoke(state["messages"][-1].tool_calls[0])]}


def by_arguments(used: Any) -> Any:
    """Passes the tool nothing but its arguments."""

    def run(state: MessagesState) -> dict[str, Any]:
        (call,) = state["messages"][-1].tool_calls
        return {"messages": [ToolMessage(used.invoke(call["args"]), tool_call_id=call["id"])]}

    return run


def asks(_: MessagesState) -> dict[str, Any]:
    model = GenericFakeChatModel(messages=iter([AIMessage("", tool_calls=[REFUND])]))
    return {"messages": [model.invoke("Refund 4711.")]}


def agent(run: Any, **breakpoints: list[str]) -> Any:
    built = StateGraph(MessagesState).add_node("model", asks).add_node("tools", run)
    built.add_edge(START, "model").add_edge("model", "tools")
    return built.compile(checkpointer=InMemorySaver(), name="refunds", **breakpoints)


def handled(thread: str = "order-4711") -> Any:
    return {"callbacks": [SentrialCallbackHandler()], "configurable": {"thread_id": thread}}


def linked(exported: Exported) -> list[list[tuple[str, str]]]:
    """Of each run of the tool what it links to."""
    return [
        [(link["trace_id"], link["span_id"]) for link in run["links"]] for run in exported.named("execute_tool refund")
    ]


def asked(exported: Exported) -> list[tuple[str, str]]:
    return [(span["trace_id"], span["span_id"]) for span in exported.spans if span["name"].startswith("chat")]


@pytest.mark.parametrize("run", [by_request, by_arguments])
def test_what_was_approved_links_to_what_asked_for_it(exported: Exported, run: Any) -> None:
    refunds = agent(run(refund), interrupt_before=["tools"])
    refunds.invoke(GIVEN, handled())
    refunds.invoke(None, handled())
    assert linked(exported) == [asked(exported)]


@pytest.mark.parametrize("run", [by_request, by_arguments])
def test_a_tool_that_asks_for_the_approval_links_each_time(exported: Exported, run: Any) -> None:
    refunds = agent(run(refund_if_allowed))
    refunds.invoke(GIVEN, handled())
    refunds.invoke(Command(resume="yes"), handled())
    assert linked(exported) == [asked(exported)] * 2


def test_sessions_of_the_program_link_too(exported: Exported) -> None:
    refunds = agent(by_request(refund), interrupt_before=["tools"])
    for given in (GIVEN, None):
        with sentrial.begin("user_1", "shop"):
            refunds.invoke(given, handled())
    assert linked(exported) == [asked(exported)]


def test_runs_without_a_handler_link_too(collector: OtlpHttpReceiver, exported: Exported) -> None:
    sentrial.configure(otlp_endpoint=collector.url, auto_session="call")
    refunds, config = agent(by_request(refund), interrupt_before=["tools"]), {"configurable": {"thread_id": "4711"}}
    refunds.invoke(GIVEN, config)
    refunds.invoke(None, config)
    assert linked(exported) == [asked(exported)]


def only_runs(thread: str) -> None:
    """A graph that runs the very same call, which nobody asked it for."""
    tools = StateGraph(MessagesState).add_node("tools", by_request(refund)).add_edge(START, "tools").compile()
    tools.invoke({"messages": [AIMessage("", tool_calls=[REFUND])]}, handled(thread))


def test_another_conversation_has_no_part_in_it(exported: Exported) -> None:
    agent(by_request(refund), interrupt_before=["tools"]).invoke(GIVEN, handled())
    only_runs("order-4712")
    assert linked(exported) == [[]]


def test_it_is_forgotten_when_the_conversation_has_gone_on(exported: Exported) -> None:
    refunds = agent(by_request(refund), interrupt_before=["tools"])
    refunds.invoke(GIVEN, handled())
    refunds.invoke(None, handled())
    only_runs("order-4711")
    assert linked(exported) == [asked(exported), []]


def test_of_many_that_wait_the_last_are_kept(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paused_requests, "MAX_PAUSED", 1)
    refunds = agent(by_request(refund), interrupt_before=["tools"])
    for given in (GIVEN, None):
        for thread in ("order-4711", "order-4712"):
            refunds.invoke(given, handled(thread))
    assert linked(exported) == [[], asked(exported)[1:]]
