"""Definitions of tools, as OpenAI's APIs take them."""

from __future__ import annotations

from typing import Any

from sentrial._providers.values import fields_of


def read_tools(tools: Any) -> list[dict[str, Any]]:
    """The snapshot of tool definitions of any kind, or of the older function definitions.

    Nothing but names, descriptions and parameters: a definition of a remote server holds the key to it.
    """
    definitions = []
    for tool in filter(fields_of, tools):
        kind = str(tool.get("type") or "function")
        described = fields_of(tool.get(kind)) or tool
        name = described.get("name") or described.get("server_label") or kind
        definition: dict[str, Any] = {"type": kind, "name": name}
        definition |= {key: described[key] for key in ("description", "parameters") if described.get(key)}
        if described.get("server_description"):
            definition["description"] = described["server_description"]
        definitions.append(definition)
        if kind == "namespace":
            definitions += read_tools(described.get("tools") or ())
    return definitions
