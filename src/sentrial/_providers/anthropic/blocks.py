"""The content of Anthropic's messages: its blocks, in requests and in answers alike. Read on our own thread."""

from __future__ import annotations

from typing import Any

from sentrial._providers.parts import blob, readable, uri
from sentrial._providers.values import decoded, fields_of, string
from sentrial.types import Message, Part

_RESULT = "_tool_result"


def read_messages(messages: Any) -> list[Message]:
    """The snapshot of a list of messages, as the API takes them and gives them."""
    return [_read_message(message) for message in messages]


def read_system(system: Any) -> list[Part]:
    """The snapshot of instructions: a text, or blocks."""
    return _read_content(system)


def read_tools(tools: Any) -> list[dict[str, Any]]:
    """The snapshot of tool definitions: the program's own ones are functions, the API's are of their own types."""
    definitions = []
    for tool in filter(fields_of, tools):
        kind = string(tool.get("type")) or "custom"
        name = string(tool.get("name")) or string(tool.get("mcp_server_name")) or kind
        definition: dict[str, Any] = {"type": "function" if kind == "custom" else kind, "name": name}
        if tool.get("description"):
            definition["description"] = tool["description"]
        if tool.get("input_schema"):
            definition["parameters"] = tool["input_schema"]
        definitions.append(definition)
    return definitions


def _read_message(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message("user", [Part.text(str(message))])
    parts = _read_content(message.get("content"))
    refusal = message.get("refusal")
    if refusal:
        parts.append(Part("refusal", refusal))
    role = string(message.get("role")) or "user"
    if parts and all(part.type == "tool_call_response" for part in parts):
        # The API has no role for tools: what they gave comes in a message of the user's.
        role = "tool"
    return Message(role, parts)


def _read_content(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Part.text(content)] if content else []
    blocks = content if isinstance(content, list) else []
    return [_read_block(block) if isinstance(block, dict) else Part.text(str(block)) for block in blocks]


def _read_block(block: dict[str, Any]) -> Part:
    kind = str(block.get("type"))
    if kind == "text":
        return Part.text(str(block.get("text") or ""))
    if kind in ("thinking", "redacted_thinking"):
        return _read_thinking(block)
    if kind == "tool_use":
        return Part.tool_call(str(block.get("name")), string(block.get("id")), decoded(block.get("input")))
    if kind == "tool_result":
        return _read_tool_result(block)
    if kind in ("server_tool_use", "mcp_tool_use"):
        return _read_server_call(kind, block)
    if kind.endswith(_RESULT):
        return _read_server_result(kind, block)
    if kind in ("image", "document"):
        return _read_source(kind, block)
    if kind == "compaction":
        return Part(kind, {"content": block["content"]} if block.get("content") else {})
    return Part(kind, readable({key: value for key, value in block.items() if key != "type"}))


def _read_thinking(block: dict[str, Any]) -> Part:
    # The API takes a thought back only with its signature, or with the whole of what it has made unreadable.
    proof = {key: block[key] for key in ("signature", "data") if string(block.get(key))}
    thought = string(block.get("thinking"))
    return Part("redacted_thinking", proof) if thought is None else Part("reasoning", {"content": thought, **proof})


def _read_tool_result(block: dict[str, Any]) -> Part:
    part = Part.tool_call_response(string(block.get("tool_use_id")), read_result(block.get("content")))
    return Part(part.type, {**part.fields, "is_error": True}) if block.get("is_error") is True else part


def read_result(content: Any) -> Any:
    """What a tool has given: its text, or its parts where there is more to it than text."""
    parts = _read_content(content)
    if all(part.type == "text" for part in parts):
        return "\n".join(part.fields["content"] for part in parts)
    return [part.to_json() for part in parts]


def _read_server_call(kind: str, block: dict[str, Any]) -> Part:
    name = str(block.get("name"))
    kind = name if kind == "server_tool_use" else "mcp"
    call: dict[str, Any] = {"type": kind, "arguments": decoded(block.get("input"))}
    if block.get("server_name"):
        call["server_name"] = block["server_name"]
    return Part("server_tool_call", {"name": name, "id": block.get("id"), "server_tool_call": call})


def _read_server_result(kind: str, block: dict[str, Any]) -> Part:
    name = kind[: -len(_RESULT)]
    result: dict[str, Any] = {"type": name, "content": readable(block.get("content"))}
    if block.get("is_error") is True:
        result["is_error"] = True
    fields = {"name": name, "id": block.get("tool_use_id"), "server_tool_call_response": result}
    return Part("server_tool_call_response", fields)


def _read_source(modality: str, block: dict[str, Any]) -> Part:
    source = fields_of(block.get("source"))
    kind = source.get("type")
    if kind == "base64":
        return blob(modality, str(source.get("media_type")), source.get("data"))
    if kind == "url":
        return uri(source.get("url"), modality)
    if kind == "file":
        return Part("file", {"modality": modality, "file_id": str(source.get("file_id"))})
    # A document that is text, or content blocks.
    content = source.get("data") if kind == "text" else read_result(source.get("content"))
    titles = {key: block[key] for key in ("title", "context") if block.get(key)}
    return Part(modality, {**titles, "content": content})
