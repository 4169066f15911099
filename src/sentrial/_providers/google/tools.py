"""The tools that Google's client runs by itself: functions of the program's, and those of MCP servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sentrial._patch.spec import TOOL_ERROR, Role, Target, ToolOutcome, ToolRun
from sentrial._providers.values import fields_of, string

_FUNCTIONS = ("invoke_function_from_dict_args", "invoke_function_from_dict_args_async")
_MCP = "call_tool"

TARGETS = (
    *(Target("google.genai._extra_utils", None, function, Role.TOOL) for function in _FUNCTIONS),
    Target("google.genai._adapters", "McpToGenAiToolAdapter", _MCP, Role.TOOL),
)


def read_tool(method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ToolRun:
    """The run: of a function, by ``(args, function_to_invoke)``, or by ``call_tool(function_call)`` of an adapter."""
    if method == _MCP:
        adapter, call = [*args, *kwargs.values()]
        name = call.name or ""
        return ToolRun(name, call.args or {}, string(call.id), _read_description(adapter, name))
    given = dict(zip(("args", "function_to_invoke"), args, strict=False)) | dict(kwargs)
    function = given["function_to_invoke"]
    return ToolRun(
        getattr(function, "__name__", type(function).__name__),
        arguments=given["args"],
        description=string(getattr(function, "__doc__", None)),
        function=function,
    )


def _read_description(adapter: Any, name: str) -> str | None:
    known = fields_of(getattr(adapter, "_list_tools_result", None)).get("tools") or ()
    return next((string(tool.description) for tool in known if tool.name == name), None)


def read_tool_result(result: Any) -> ToolOutcome:
    """What the tool gave. An MCP server's answer tells whether it failed; it is spelt in two ways (mcp 1.x and 2.x)."""
    if type(result).__name__ != "CallToolResult":
        return ToolOutcome(result)
    fields = fields_of(result)
    said = fields.get("content") or []
    texts = [text for block in said if (text := fields_of(block).get("text")) is not None]
    text = "\n".join(texts) if len(texts) == len(said) else None
    if fields.get("is_error", fields.get("isError")) is True:
        return ToolOutcome(text if text is not None else said, {"type": TOOL_ERROR, "message": text or ""})
    structured = fields.get("structured_content", fields.get("structuredContent"))
    return ToolOutcome(next(each for each in (structured, text, said) if each is not None))


def read_tool_error(error: BaseException) -> BaseException:
    """What the function raised: the client's own exception around it holds the arguments."""
    cause = error.__context__
    return cause if cause is not None and type(error).__name__ == "FunctionInvocationError" else error
