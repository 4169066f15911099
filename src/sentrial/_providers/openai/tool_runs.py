"""The tools that OpenAI's client runs by itself: functions of the program's, what a browser can do, a computer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sentrial._patch.spec import TOOL_ERROR, Role, Target, ToolOutcome, ToolRun
from sentrial._providers.openai.items import read_asked, read_result
from sentrial._providers.values import decoded, fields_of, mapping, string

_FUNCTION = "_execute_function"
_TOOLSET = "_dispatch"

TARGETS = tuple(
    Target(f"openai.lib.{module}", f"{kind}{cls}", method, Role.TOOL)
    for module, cls, method in (
        ("responses_tool_runner", "ResponsesToolRunner", _FUNCTION),
        # The client's runners go through these, and loops that a program has written itself.
        ("browser", "BrowserToolset", _TOOLSET),
        ("computer", "ComputerToolset", _TOOLSET),
    )
    for kind in ("", "Async")
)


def read_tool(method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ToolRun | None:
    """The run: of a function, by a runner's ``_execute_function(run, item)``, or by a toolset's ``_dispatch(call)``."""
    if kwargs.get("skip"):
        return None  # an action before it has failed, and the model is told that this one was not made
    if method == _FUNCTION:
        runner, _, item = args
        registered = runner._functions[item.name]
        tool, function = registered.tool, registered.execute
    else:
        toolset, item = args
        tool, function = _definition_in(toolset, getattr(item, "name", None)), None
    name, arguments = read_asked(item.type, fields_of(item))
    return ToolRun(name, arguments, string(item.call_id), string(tool.get("description")), function)


def _definition_in(toolset: Any, name: str | None) -> Mapping[str, Any]:
    return next((tool for tool in getattr(toolset, "tools", ()) if tool["name"] == name), {})


def read_tool_result(result: Any) -> ToolOutcome:
    """What goes back to the model; of a browser, with whether it could do what it was asked for."""
    answer, succeeded = result if isinstance(result, tuple) else (result, True)
    return ToolOutcome(read_result(answer), None if succeeded else _read_failure(answer["output"][0]["text"]))


def _read_failure(text: str) -> dict[str, Any]:
    return {"type": TOOL_ERROR, "message": mapping(decoded(text)).get("error", text)}
