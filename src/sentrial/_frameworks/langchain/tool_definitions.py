"""Definitions of tools, as LangChain's models take them: in the words of the API that each of them speaks."""

from __future__ import annotations

from typing import Any

from sentrial._providers.values import fields_of, string

_SCHEMAS = ("parameters", "input_schema", "parametersJsonSchema", "inputSchema")


def read_tools(copy: Any) -> list[dict[str, Any]]:
    """The snapshot of a list of tool definitions.

    Nothing but names, descriptions and parameters: a definition of a remote server holds the key to it.
    """
    return [definition for tool in filter(fields_of, copy) for definition in _read_tool(tool)]


def _read_tool(tool: dict[str, Any]) -> list[dict[str, Any]]:
    several = tool.get("function_declarations") or tool.get("functionDeclarations")
    if isinstance(several, list):
        return [_describe("function", fields_of(each)) for each in several]
    if "toolSpec" in tool:
        return [_describe("function", fields_of(tool["toolSpec"]))]
    kind = string(tool.get("type")) or ("function" if "name" in tool else "")
    if not kind:
        # Google's own tools are named by their only key.
        return [{"type": name, "name": name} for name in tool]
    described = fields_of(tool.get(kind)) or tool
    is_own = kind == "custom" and "input_schema" in described
    return [_describe("function" if is_own else kind, described)]


def _describe(kind: str, described: dict[str, Any]) -> dict[str, Any]:
    name = next((described[key] for key in ("name", "server_label") if string(described.get(key))), kind)
    definition: dict[str, Any] = {"type": kind, "name": name}
    if string(described.get("description")):
        definition["description"] = described["description"]
    parameters = next((described[key] for key in _SCHEMAS if described.get(key)), None)
    if parameters is not None:
        definition["parameters"] = fields_of(parameters).get("json") or parameters
    return definition
