"""A function that ``@sentrial.tool`` decorates, as a tool of LangChain's: one tool call on the timeline."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import BaseTool, StructuredTool, Tool, tool

import sentrial
from langchain_scenarios import QUESTION, Exported
from langchain_scenarios.asking import Asking
from sentrial.langchain import SentrialCallbackHandler

ASKED = {"messages": [("user", QUESTION)]}


@sentrial.tool
def search(text: str) -> str:
    """Search the web."""
    inside()
    return f"found {text}"


@sentrial.tool("web-search")
def renamed(text: str) -> str:
    """Search the web."""
    inside()
    return f"found {text}"


@sentrial.tool
async def search_async(text: str) -> str:
    """Search the web."""
    inside()
    return f"found {text}"


@sentrial.tool
def inside() -> None:
    """What the tool calls is a tool, too."""


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def log(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return log


class Search(BaseTool):
    name: str = "search"
    description: str = "Search the web."

    @sentrial.tool("by-hand")
    def _run(self, text: str) -> str:
        inside()
        return f"found {text}"

    @sentrial.tool("by-hand")
    async def _arun(self, text: str) -> str:
        inside()
        return f"found {text}"


SYNC: Mapping[str, Any] = {
    "tool": tool(search),
    "tool over another decorator": tool(logged(search)),
    "the function itself": search,
    "another name for us": tool(renamed),
    "another name for LangChain": tool("look_up")(search),
    "a structured tool of another name": StructuredTool.from_function(renamed, name="look_up"),
    "an older tool": Tool("Search", search, "Search the web."),
    "a class": Search(),
}
ASYNC: Mapping[str, Any] = {
    "tool": tool(search_async),
    "a structured tool of another name": StructuredTool.from_function(coroutine=search_async, name="look_up"),
    "an older tool": Tool("Search", None, "Search the web.", coroutine=search_async),
    "a class": Search(),
}


def name_of(given: Any) -> str:
    return str(getattr(given, "name", getattr(given, "__name__", "")))


def agent_with(given: Any, argument: str = "text") -> Any:
    return create_agent(Asking(calls=[(name_of(given), {argument: "parcels"})]), [given])


def tree_of(given: Any) -> list[str]:
    return ["invoke_agent agent", "  chat", f"  execute_tool {name_of(given)}", "    execute_tool inside", "  chat"]


def check(exported: Exported, given: Any) -> None:
    assert exported.tree == tree_of(given)
    attributes = exported.one(f"execute_tool {name_of(given)}")["attributes"]
    assert attributes["gen_ai.tool.call.id"] == "call_0"
    assert attributes["gen_ai.tool.description"] == "Search the web."
    (root,) = (span["attributes"] for span in exported.spans if span["parent_span_id"] is None)
    assert root["sentrial.session.tool_calls"] == 2


@pytest.mark.parametrize("given", SYNC.values(), ids=SYNC)
def test_a_decorated_tool_is_one_tool_call(exported: Exported, given: Any) -> None:
    argument = "__arg1" if isinstance(given, Tool) else "text"
    with sentrial.begin("user_1", "agent"):
        result = agent_with(given, argument).invoke(ASKED)
    assert result["messages"][2].content == "found parcels"
    check(exported, given)


@pytest.mark.parametrize("given", [*SYNC.values(), *ASYNC.values()], ids=[*SYNC, *(f"async: {key}" for key in ASYNC)])
async def test_so_it_is_in_an_asynchronous_agent(exported: Exported, given: Any) -> None:
    argument = "__arg1" if isinstance(given, Tool) else "text"
    with sentrial.begin("user_1", "agent"):
        result = await agent_with(given, argument).ainvoke(ASKED, {"callbacks": [SentrialCallbackHandler()]})
    assert result["messages"][2].content == "found parcels"
    check(exported, given)


async def test_eight_at_once_are_eight_tool_calls(exported: Exported) -> None:
    @sentrial.tool
    async def wait(number: int) -> int:
        """Wait."""
        await asyncio.sleep(0)
        inside()
        return number

    model = Asking(calls=[("wait", {"number": number}) for number in range(8)])
    with sentrial.begin("user_1", "agent"):
        await create_agent(model, [tool(wait)]).ainvoke(ASKED)
    waits = {span["span_id"]: span["attributes"]["gen_ai.tool.call.id"] for span in exported.named("execute_tool wait")}
    assert sorted(waits.values()) == [f"call_{number}" for number in range(8)]
    assert {span["parent_span_id"] for span in exported.named("execute_tool inside")} == set(waits)


def test_a_tool_that_calls_itself_is_a_tool_call_each_time(exported: Exported) -> None:
    @sentrial.tool
    def count(left: int) -> int:
        """Count."""
        return left if left == 0 else count(left - 1)

    with sentrial.begin("user_1", "agent"):
        assert tool(count).invoke({"left": 2}) == 0
    assert exported.tree == [
        "invoke_agent agent",
        "  execute_tool count",
        "    execute_tool count",
        "      execute_tool count",
    ]


def test_a_decorated_function_that_a_tool_only_calls_is_a_tool_call_of_its_own(exported: Exported) -> None:
    @tool
    def look_up(text: str) -> str:
        """Look it up."""
        return search(text)

    with sentrial.begin("user_1", "agent"):
        assert look_up.invoke({"text": "parcels"}) == "found parcels"
        assert search("more") == "found more"
    assert exported.tree == [
        "invoke_agent agent",
        "  execute_tool look_up",
        "    execute_tool search",
        "      execute_tool inside",
        "  execute_tool search",
        "    execute_tool inside",
    ]


def test_a_decorated_tool_that_fails_has_failed_once(exported: Exported) -> None:
    @sentrial.tool
    def fail() -> None:
        """Fail."""
        raise ConnectionError("nobody there")

    with sentrial.begin("user_1", "agent"), pytest.raises(ConnectionError):
        tool(fail).invoke({})
    assert exported.tree == ["invoke_agent agent", "  execute_tool fail"]
    span = exported.one("execute_tool fail")
    assert (span["status_code"], span["attributes"]["error.type"]) == (2, "ConnectionError")
    assert len(span["events"]) == 1
