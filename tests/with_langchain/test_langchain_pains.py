"""Pains of the users of other libraries, in LangChain: B2, B4 and B6, and tools that are cancelled.

A2 is `test_langchain_streams`, B1 `test_langchain_nesting`, B3 `test_langchain_concurrency`.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from contextlib import nullcontext
from typing import Any

import openai
import pytest
from langchain.agents import create_agent
from langchain_core.tools import ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

import sentrial
from fake_provider import Answer, FakeProvider
from langchain_scenarios import OPENAI, QUESTION, TOOLS, Exported, Models
from langchain_scenarios.asking import Asking
from langchain_scenarios.exported import Span
from langchain_scenarios.inside import open_runs
from running import id_of, links_of
from sentrial.langchain import SentrialCallbackHandler

ASKED = {"messages": [("user", QUESTION)]}
TOKENS = "gen_ai.usage.input_tokens"
OUTCOME = "sentrial.session.outcome"

given = pytest.mark.parametrize("given", [False, True], ids=["zero code", "a handler"])


def config(given: bool, **more: Any) -> dict[str, Any]:
    return {"callbacks": [SentrialCallbackHandler()] if given else [], **more}


def no_error(spans: list[Span]) -> None:
    for span in spans:
        assert (span["name"], span["status_code"], span["events"]) == (span["name"], 0, [])


# --- B2: one call, one span ------------------------------------------------------------------------------------------


@given
def test_pain_b2_a_call_is_one_span_and_one_inside_a_tool_another(
    server: FakeProvider, models: Models, exported: Exported, given: bool
) -> None:
    with openai.OpenAI(api_key="k", base_url=server.base_url) as client:

        @tool
        def find_order(number: int) -> str:
            """Find an order by its number."""
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": QUESTION}])
            return str(models.openai(model="gpt-4.1").invoke(QUESTION).content)

        server.queue(Answer.reply("chat_tools"))
        agent = create_agent(models.openai(), [find_order, TOOLS[1]])
        with sentrial.begin("user_1", "agent"):
            agent.invoke(ASKED, config(given))
    charged = 90 + 3 * 1200
    assert len(server.requests) == 4
    with_usage = [span for span in exported.spans if TOKENS in span["attributes"]]
    root, *calls = with_usage
    assert sorted(span["name"] for span in calls) == [
        "chat gpt-4.1", "chat gpt-4.1-mini", "chat gpt-4.1-mini", "chat gpt-4o",
    ]  # fmt: skip
    assert sum(span["attributes"][TOKENS] for span in calls) == root["attributes"][TOKENS] == charged
    order = exported.one("execute_tool find_order")
    assert {exported.one(name)["parent_span_id"] for name in ("chat gpt-4.1", "chat gpt-4o")} == {order["span_id"]}


# --- B4: control flow is no error ------------------------------------------------------------------------------------


def approval() -> Any:
    def approve(state: MessagesState) -> dict[str, Any]:
        return {"messages": [("ai", str(interrupt("May I?")))]}

    graph = StateGraph(MessagesState)
    graph.add_node("approve", approve)
    graph.add_edge(START, "approve")
    return graph.compile(checkpointer=InMemorySaver(), name="flow")


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream"])
@given
async def test_pain_b4_an_interrupt_is_a_pause(exported: Exported, given: bool, way: str) -> None:
    if way == "ainvoke" and sys.version_info < (3, 11):
        way = "invoke"  # LangGraph cannot interrupt an asynchronous run there
    graph, settings = approval(), config(given, configurable={"thread_id": "thread_7"})
    for step in (ASKED, Command(resume="You may")):
        with nullcontext() if given else sentrial.begin("user_1", "agent"):
            if way == "ainvoke":
                await graph.ainvoke(step, settings)
            elif way == "stream":
                list(graph.stream(step, settings))
            else:
                graph.invoke(step, settings)
    no_error(exported.spans)
    paused, resumed = exported.named("node approve")
    assert paused["attributes"]["sentrial.outcome"] == "paused"
    assert "sentrial.outcome" not in resumed["attributes"]
    roots = [span["attributes"] for span in exported.spans if span["parent_span_id"] is None]
    assert {root["gen_ai.conversation.id"] for root in roots} == {"thread_7"}
    if given:
        assert [root[OUTCOME] for root in roots] == ["paused", "completed"]


@given
async def test_pain_b4_a_consumer_that_breaks_off_is_no_error(exported: Exported, models: Models, given: bool) -> None:
    agent = create_agent(models.openai(streaming=True), [])
    stream = agent.astream(ASKED, config(given), stream_mode="messages")
    async for _ in stream:
        break
    await stream.aclose()
    stream = agent.stream(ASKED, config(given), stream_mode="messages")
    next(stream)
    stream.close()
    no_error(exported.spans)
    if given:
        roots = [span["attributes"] for span in exported.spans if span["parent_span_id"] is None]
        assert [root[OUTCOME] for root in roots] == ["cancelled", "cancelled"]


@given
async def test_pain_b4_a_run_that_a_timeout_cancels_is_no_error(exported: Exported, given: bool) -> None:
    async def wait(state: MessagesState) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    graph = StateGraph(MessagesState)
    graph.add_node("wait", wait)
    graph.add_edge(START, "wait")
    with nullcontext() if given else sentrial.begin("user_1", "agent"), pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(graph.compile(name="flow").ainvoke(ASKED, config(given)), 0.2)
    spans = {span["name"]: span for span in exported.spans}
    for name in ("invoke_workflow flow", "node wait"):
        assert spans[name]["attributes"]["sentrial.outcome"] == "cancelled"
        no_error([spans[name]])
    if given:
        assert spans["invoke_agent flow"]["attributes"][OUTCOME] == "cancelled"
        no_error(exported.spans)


class GraphInterrupt(Exception):  # noqa: N818 - the name of LangGraph's own is what the test is about
    """The program's own, of that name."""


@given
def test_pain_b4_an_exception_of_that_name_is_an_error(exported: Exported, given: bool) -> None:
    def fail(state: MessagesState) -> dict[str, Any]:
        raise GraphInterrupt("not LangGraph's")

    graph = StateGraph(MessagesState)
    graph.add_node("fail", fail)
    graph.add_edge(START, "fail")
    with (
        pytest.raises(GraphInterrupt),
        nullcontext() if given else sentrial.begin("user_1", "agent"),
    ):
        graph.compile(name="flow").invoke(ASKED, config(given))
    for span in exported.spans:
        assert (span["name"], span["status_code"]) == (span["name"], 2)
        assert span["attributes"]["error.type"].endswith("GraphInterrupt")


# --- B6: which generation asked --------------------------------------------------------------------------------------


@given
def test_pain_b6_each_tool_is_linked_to_the_answer_that_asked_for_it(
    server: FakeProvider, models: Models, exported: Exported, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    monkeypatch.setenv("SENTRIAL_CAPTURE_CONTENT", "false")
    OPENAI.queue(server, times=2)
    agent = create_agent(models.openai(), list(TOOLS))
    for _ in range(2):
        with sentrial.begin("user_1", "agent"):
            agent.invoke(ASKED, config(given))
    tools = [span for span in exported.spans if span["name"].startswith("execute_tool")]
    assert len(tools) == 4
    for span in tools:
        name = span["attributes"]["gen_ai.tool.name"]
        expected = {"find_order": "call_order", "weather": "call_weather"}[name]
        assert span["attributes"]["gen_ai.tool.call.id"] == expected
        asking = min(
            (each for each in exported.named("chat gpt-4.1-mini") if each["trace_id"] == span["trace_id"]),
            key=lambda each: each["start_ns"],
        )
        assert links_of(span) == [("requested_by", id_of(asking))]


@given
def test_pain_b6_a_tool_that_says_what_went_wrong_has_failed(exported: Exported, given: bool) -> None:
    @tool
    def search() -> str:
        """Search."""
        raise ToolException("no such place")

    search.handle_tool_error = True
    with sentrial.begin("user_1", "agent"):
        create_agent(Asking(calls=[("search", {})]), [search]).invoke(ASKED, config(given))
    span = exported.one("execute_tool search")
    assert (span["status_code"], span["events"]) == (2, [])
    assert exported.one("invoke_agent agent")["status_code"] == 0


# --- tools that are cancelled: LangChain tells no end of them --------------------------------------------------------


def waiting(began: asyncio.Event) -> Any:
    @tool
    async def wait() -> str:
        """Wait."""
        began.set()
        await asyncio.Event().wait()
        return ""

    return wait


@given
async def test_a_cancelled_tool_ends_with_what_contains_it(exported: Exported, given: bool) -> None:
    began, settings = asyncio.Event(), config(given)
    agent = create_agent(Asking(calls=[("wait", {}), ("wait", {})]), [waiting(began)])
    with sentrial.begin("user_1", "agent"):
        task = asyncio.create_task(agent.ainvoke(ASKED, settings))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        first, second = exported.named("execute_tool wait")
    no_error(exported.spans)
    assert {span["attributes"]["sentrial.outcome"] for span in (first, second)} == {"cancelled"}
    for handler in settings["callbacks"]:
        assert open_runs(handler) == []


@given
async def test_an_outermost_tool_that_is_cancelled_ends_too(exported: Exported, given: bool) -> None:
    began = asyncio.Event()
    with nullcontext() if given else sentrial.begin("user_1", "agent"):
        task = asyncio.create_task(waiting(began).ainvoke({}, config(given)))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
    span = exported.one("execute_tool wait")
    assert span["attributes"]["sentrial.outcome"] == "cancelled"
    no_error(exported.spans)


@given
async def test_what_comes_after_a_cancelled_tool_is_not_below_it(exported: Exported, given: bool) -> None:
    """In one task, as a program that gives its tools a time limit."""
    with sentrial.begin("user_1", "agent"):
        for _turn in range(2):
            began = asyncio.Event()
            loop, here = asyncio.get_running_loop(), asyncio.current_task()
            assert here is not None
            loop.call_later(0.05, here.cancel)
            try:
                await waiting(began).ainvoke({}, config(given))
            except asyncio.CancelledError:
                getattr(here, "uncancel", lambda: None)()
            for _ in range(3):
                await asyncio.sleep(0)  # until then the loop holds what LangChain has left
            gc.collect()
        await Asking().ainvoke(QUESTION, config(given))
        assert len(exported.named("execute_tool wait")) == 2
    assert sorted(exported.tree) == ["  chat", "  execute_tool wait", "  execute_tool wait", "invoke_agent agent"]
    no_error(exported.spans)


@given
async def test_what_comes_after_a_cancelled_tool_that_is_still_held_is_not_below_it(
    exported: Exported, given: bool
) -> None:
    """By the exception, which a program may keep: for a report, say."""
    kept: list[BaseException] = []
    with sentrial.begin("user_1", "agent") as session:
        began = asyncio.Event()
        loop, here = asyncio.get_running_loop(), asyncio.current_task()
        assert here is not None
        loop.call_later(0.05, here.cancel)
        try:
            await waiting(began).ainvoke({}, config(given))
        except asyncio.CancelledError as error:
            kept.append(error)
            getattr(here, "uncancel", lambda: None)()
        await Asking().ainvoke(QUESTION, config(given))
        call = exported.one("chat")
        kept.clear()
        gc.collect()
        await asyncio.sleep(0)
    # Before Python 3.11 the body of a tool runs in the task that awaits it.
    assert session.session_id.endswith(call["parent_span_id"]) is (sys.version_info >= (3, 11))
    assert exported.one("execute_tool wait")["attributes"]["sentrial.outcome"] == "cancelled"


def answer(error: ToolException) -> str:
    """Says what went wrong, in the words of a model."""
    return str(Asking().invoke(str(error)).text)


async def test_a_model_that_answers_for_a_tools_error_does_not_end_the_tool(exported: Exported) -> None:
    @tool
    async def search() -> str:
        """Search."""
        raise ToolException("nothing there")

    search.handle_tool_error = answer
    with sentrial.begin("user_1", "agent"):
        await search.ainvoke({})
    found = exported.one("execute_tool search")["attributes"]
    assert "It is in Lisbon." in found["gen_ai.tool.call.result"]
    assert "sentrial.outcome" not in found
