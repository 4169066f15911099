"""The tools that Google's client runs by itself: what is known of a run, and what it gave."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sentrial._patch.spec import Role, ToolOutcome, ToolRun
from sentrial._providers.google.tools import TARGETS, read_tool, read_tool_error, read_tool_result

TOOLS = [SimpleNamespace(name="track", description="Where a parcel is."), SimpleNamespace(name="lose", description="")]
ADAPTER = SimpleNamespace(_list_tools_result=SimpleNamespace(tools=TOOLS))


def track(number: int) -> str:
    """Where a parcel is."""
    return str(number)


def call(name: str | None, args: Any, call_id: str | None = None) -> Any:
    return SimpleNamespace(name=name, args=args, id=call_id)


class CallToolResult:
    """What an MCP server answers, as its library has it."""

    def __init__(self, *content: Any, **more: Any) -> None:
        self.__dict__.update(content=list(content), **more)


def text(words: str) -> Any:
    return SimpleNamespace(type="text", text=words)


def test_a_function_is_named_and_described_by_itself() -> None:
    run = ToolRun("track", {"number": 7}, description="Where a parcel is.", function=track)
    assert read_tool("invoke_function_from_dict_args", ({"number": 7}, track), {}) == run
    assert read_tool("invoke_function_from_dict_args", (), {"args": {"number": 7}, "function_to_invoke": track}) == run


@pytest.mark.parametrize(
    ("asked", "run"),
    [
        (call("track", {"number": 7}, "fc-1"), ToolRun("track", {"number": 7}, "fc-1", "Where a parcel is.")),
        (call("lose", None), ToolRun("lose", {})),
        (call(None, {}), ToolRun("", {})),
    ],
)
def test_a_servers_tool_is_named_by_the_model_and_described_by_the_server(asked: Any, run: ToolRun) -> None:
    assert read_tool("call_tool", (ADAPTER, asked), {}) == run
    assert read_tool("call_tool", (ADAPTER,), {"function_call": asked}) == run


def test_what_a_function_gave_is_what_it_gave() -> None:
    assert read_tool_result({"content": 1}) == ToolOutcome({"content": 1})


PICTURE = SimpleNamespace(type="image", data="aGk=")


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (CallToolResult(text("a"), text("b"), is_error=False, structured_content=None), ToolOutcome("a\nb")),
        (CallToolResult(text("a"), isError=False, structuredContent={"result": "a"}), ToolOutcome({"result": "a"})),
        (CallToolResult(text("a"), PICTURE, is_error=False), ToolOutcome([text("a"), PICTURE])),
        (CallToolResult(), ToolOutcome("")),
        (CallToolResult(text("no"), isError=True), ToolOutcome("no", {"type": "tool_error", "message": "no"})),
        (CallToolResult(PICTURE, is_error=True), ToolOutcome([PICTURE], {"type": "tool_error", "message": ""})),
    ],
)
def test_what_a_server_answered_is_read_in_both_spellings(result: Any, outcome: ToolOutcome) -> None:
    assert read_tool_result(result) == outcome


def test_what_a_function_raised_is_told_and_not_what_the_client_makes_of_it() -> None:
    class FunctionInvocationError(Exception):
        pass

    cause = LookupError("no")
    around = FunctionInvocationError("with arguments")
    around.__context__ = cause
    assert read_tool_error(around) is cause
    assert read_tool_error(cause) is cause


def test_every_target_runs_a_tool() -> None:
    assert {target.role for target in TARGETS} == {Role.TOOL}
