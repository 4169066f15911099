"""Pains B1 and B3, in LangChain: many agents at once, each with eight tools at once, and nothing crosses."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import tool
from opentelemetry import trace

import sentrial
from langchain_scenarios import Exported
from langchain_scenarios.asking import INPUT, OUTPUT, Asking
from langchain_scenarios.inside import open_runs
from running import Span
from sentrial.langchain import SentrialCallbackHandler

AGENTS, THREADS, TOOLS = 50, 10, range(8)
EACH = {"invoke_agent": 1, "chat": 2 + len(TOOLS), "execute_tool search": len(TOOLS), "SELECT": len(TOOLS)}

Handlers = Callable[[], SentrialCallbackHandler]


def of_their_own() -> Handlers:
    return SentrialCallbackHandler


def one_for_all() -> Handlers:
    handler = SentrialCallbackHandler()
    return lambda: handler


handlers = pytest.mark.parametrize("make", [of_their_own, one_for_all], ids=lambda make: make.__name__)


def agent_for(user: str, *, is_async: bool) -> Any:
    def select(number: int) -> None:
        with trace.get_tracer("db").start_as_current_span("SELECT", attributes={"who": f"{user} {number}"}):
            pass

    @tool
    def search(who: str, number: int) -> str:
        """Search."""
        Asking(pieces=[f"{who} {number}"]).invoke(f"{who} {number}")
        select(number)
        return who

    @tool("search")
    async def search_async(who: str, number: int) -> str:
        """Search."""
        await asyncio.sleep(0)
        await Asking(pieces=[f"{who} {number}"]).ainvoke(f"{who} {number}")
        await asyncio.sleep(0)
        select(number)
        return who

    calls = [("search", {"who": user, "number": number}) for number in TOOLS]
    return create_agent(Asking(calls=calls), [search_async if is_async else search], name="agent")


def arguments_of(span: Span) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(span["attributes"]["gen_ai.tool.call.arguments"])
    return found


def asked(span: Span) -> str:
    return str(json.loads(span["attributes"]["gen_ai.input.messages"])[-1]["parts"][0]["content"])


def check(spans: list[Span], sessions: dict[str, str]) -> None:
    """``sessions``: whose each is, by its trace."""
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span["trace_id"], []).append(span)
    assert traces.keys() == sessions.keys()
    for trace_id, user in sessions.items():
        each = traces[trace_id]
        root, *others = sorted(each, key=lambda span: span["parent_span_id"] is not None)
        assert Counter(span["name"].replace(" agent", "") for span in each) == EACH
        assert {span["attributes"]["sentrial.session.id"] for span in each} == {f"{trace_id}-{root['span_id']}"}
        assert {span["attributes"]["user.id"] for span in each} == {user}
        tools = {span["span_id"]: span for span in each if span["name"] == "execute_tool search"}
        assert {span["parent_span_id"] for span in tools.values()} == {root["span_id"]}
        arguments = [arguments_of(span) for span in tools.values()]
        assert sorted((given["who"], given["number"]) for given in arguments) == [(user, number) for number in TOOLS]
        below = Counter(span["parent_span_id"] for span in others if span["name"] == "chat")
        assert below == {root["span_id"]: 2, **dict.fromkeys(tools, 1)}
        for span in others:
            if span["name"] == "SELECT":
                given = arguments_of(tools[span["parent_span_id"]])
                assert span["attributes"]["who"] == f"{given['who']} {given['number']}"
            elif span["name"] == "chat" and span["parent_span_id"] in tools:
                given = arguments_of(tools[span["parent_span_id"]])
                assert asked(span) == f"{given['who']} {given['number']}"
        totals = root["attributes"]
        assert totals["gen_ai.usage.input_tokens"] == INPUT * EACH["chat"]
        assert totals["gen_ai.usage.output_tokens"] == OUTPUT * EACH["chat"]
        assert totals["sentrial.session.tool_calls"] == len(TOOLS)


def check_totals(used: list[SentrialCallbackHandler]) -> None:
    every = {id(handler): handler for handler in used}.values()
    assert sum(handler.llm_calls for handler in every) == len(used) * EACH["chat"]
    assert sum(handler.total_tokens for handler in every) == len(used) * EACH["chat"] * (INPUT + OUTPUT)
    assert [open_runs(handler) for handler in every] == [[] for _ in every]


@handlers
async def test_fifty_agents_in_one_loop(exported: Exported, make: Callable[[], Handlers]) -> None:
    handler_for, sessions, used = make(), {}, []

    async def run(user: str) -> None:
        used.append(handler_for())
        config = {"callbacks": [used[-1]], "metadata": {"user_id": user}}
        with sentrial.begin(user, "agent") as session:
            sessions[session.session_id.partition("-")[0]] = user
            await agent_for(user, is_async=True).ainvoke({"messages": [("user", user)]}, config)

    await asyncio.gather(*(run(f"user_{number}") for number in range(AGENTS)))
    check(exported.spans, sessions)
    check_totals(used)


@handlers
async def test_fifty_agents_that_open_sessions_of_their_own(exported: Exported, make: Callable[[], Handlers]) -> None:
    handler_for, used = make(), []

    async def run(user: str) -> None:
        used.append(handler_for())
        config = {"callbacks": [used[-1]], "metadata": {"user_id": user}}
        await agent_for(user, is_async=True).ainvoke({"messages": [("user", user)]}, config)

    await asyncio.gather(*(run(f"user_{number}") for number in range(AGENTS)))
    spans = exported.spans
    sessions = {span["trace_id"]: asked(span) for span in spans if span["parent_span_id"] is None}
    assert sorted(sessions.values()) == sorted(f"user_{number}" for number in range(AGENTS))
    check(spans, sessions)
    check_totals(used)


@handlers
def test_agents_in_ten_threads(exported: Exported, make: Callable[[], Handlers]) -> None:
    handler_for, sessions, used = make(), {}, []
    barrier = threading.Barrier(THREADS)
    # Made before: what LangChain does to make a tool silences warnings, which is for the whole process.
    agents = {user: agent_for(user, is_async=False) for user in (f"user_{number}" for number in range(AGENTS))}

    def run(user: str) -> None:
        barrier.wait(30)
        handler = handler_for()
        used.append(handler)
        with sentrial.begin(user, "agent") as session:
            sessions[session.session_id.partition("-")[0]] = user
            agents[user].invoke({"messages": [("user", user)]}, {"callbacks": [handler]})

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, agents))
    check(exported.spans, sessions)
    check_totals(used)
