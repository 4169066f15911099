"""What Google's contents hold: messages, their parts and definitions of tools. All of it is read on our own thread.

The client takes requests in its own spelling (``mime_type``) and in the API's (``mimeType``), and passes both on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any

from sentrial._providers.parts import blob, modality_of
from sentrial._providers.values import NOTHING, string
from sentrial.types import Message, Part

_ROLES = {"model": "assistant", "function": "tool"}
_STANDARD = str.maketrans("-_", "+/")
# What says how a part is to be taken, and nothing by itself.
_BESIDE = frozenset({"thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"})


def read_contents(contents: Any) -> list[Message]:
    """The snapshot of a history."""
    return [_read_content(content) for content in contents]


def _read_content(content: Any) -> Message:
    if type(content) is not dict:
        return Message("user", [Part.text(str(content))])
    parts = read_parts(content.get("parts") or ())
    role = string(content.get("role")) or "user"
    if parts and all(part.type == "tool_call_response" for part in parts):
        role = "tool"
    return Message(_ROLES.get(role, role), parts)


def read_parts(parts: Any) -> list[Part]:
    """The snapshot of the parts of a content; of a stream, the parts of all its chunks."""
    pieces = [spelt(part) if type(part) is dict else {"text": str(part)} for part in parts]
    return [part for piece in _joined(pieces) for part in _read_part(piece)]


def _joined(pieces: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The parts, with a text that came piece by piece as one."""
    for kind, group in groupby(list(_with_whole_calls(pieces)), _kind_of_text):
        if kind is None:
            yield from group
        else:
            texts = [piece["text"] for piece in group]
            yield {"text": "".join(texts), "thought": kind == "thought"}


def _kind_of_text(piece: dict[str, Any]) -> str | None:
    if not isinstance(piece.get("text"), str):
        return None
    return "thought" if piece.get("thought") else "text"


def _with_whole_calls(pieces: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The parts, with a call whose arguments came piece by piece as one."""
    open_call: dict[str, Any] | None = None
    for piece in pieces:
        call = spelt(piece.get("functionCall"))
        if open_call is None and not (call.get("willContinue") or call.get("partialArgs")):
            yield piece
            continue
        if open_call is None:
            open_call = {"functionCall": {**call, "args": dict(call.get("args") or NOTHING)}}
            yield open_call
        if "functionCall" in piece:
            _add_arguments(open_call["functionCall"]["args"], call.get("partialArgs"))
            open_call = open_call if call.get("willContinue") else None
        else:
            yield piece


def _add_arguments(arguments: dict[str, Any], pieces: Any) -> None:
    for piece in map(spelt, pieces if type(pieces) is list else ()):
        name = str(piece.pop("jsonPath", "")).removeprefix("$.")
        value = next((piece[key] for key in ("stringValue", "numberValue", "boolValue") if key in piece), None)
        before = arguments.get(name)
        arguments[name] = before + value if isinstance(before, str) and isinstance(value, str) else value


def _read_part(piece: dict[str, Any]) -> list[Part]:
    text = piece.get("text")
    if isinstance(text, str):
        return [Part.reasoning(text) if piece.get("thought") else Part.text(text)] if text else []
    return [_read_kind(kind, spelt(value), value) for kind, value in piece.items() if _tells(kind, value)]


def _tells(kind: str, value: Any) -> bool:
    return kind not in _BESIDE and value is not None


def _read_kind(kind: str, fields: dict[str, Any], value: Any) -> Part:
    get = fields.get
    name, call_id = str(get("name")), string(get("id"))
    if kind == "inlineData":
        mime_type = str(get("mimeType") or "")
        return blob(modality_of(mime_type), mime_type, _standard(get("data")))
    if kind == "fileData":
        mime_type = str(get("mimeType") or "")
        typed = {"mime_type": mime_type} if mime_type else {}
        return Part("uri", {"modality": modality_of(mime_type), "uri": get("fileUri"), **typed})
    if kind == "functionCall":
        return Part.tool_call(name, call_id, get("args") or {})
    if kind == "functionResponse":
        return _read_tool_result(call_id, fields)
    if kind == "executableCode":
        return _server_tool("server_tool_call", "code_execution", call_id, fields)
    if kind == "codeExecutionResult":
        return _server_tool("server_tool_call_response", "code_execution", call_id, fields)
    if kind in ("toolCall", "toolResponse"):
        tool = str(get("toolType") or "tool").lower()
        return _server_tool(
            "server_tool_call" if kind == "toolCall" else "server_tool_call_response", tool, call_id, fields
        )
    return Part(kind, fields or {"content": value})


def _read_tool_result(call_id: str | None, fields: dict[str, Any]) -> Part:
    """What a tool gave. Its name, for not every call has an id; and images and the like, where some came with it."""
    part = Part.tool_call_response(call_id, fields.get("response"))
    named = {"name": fields["name"]} if string(fields.get("name")) else {}
    more = [each.to_json() for each in read_parts(fields.get("parts") or ())]
    return Part(part.type, {**named, **part.fields, **({"parts": more} if more else {})})


def _server_tool(kind: str, tool: str, call_id: str | None, fields: dict[str, Any]) -> Part:
    named = {"id": call_id} if call_id else {}
    return Part(kind, {**named, "name": tool, kind: {"type": tool, **_without(fields, "id", "toolType")}})


def _without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key not in names}


def _standard(data: Any) -> Any:
    """Base64 in the alphabet that all decoders read: the client sends the one for addresses."""
    return data.translate(_STANDARD) if isinstance(data, str) else data


def read_tools(tools: Any) -> list[dict[str, Any]]:
    """The snapshot of tool definitions: one entry a function, one for each tool that the server runs."""
    definitions: list[dict[str, Any]] = []
    for tool in tools:
        for kind, value in spelt(tool).items():
            if kind == "functionDeclarations":
                definitions += [_read_declaration(spelt(each)) for each in value if type(each) is dict]
            elif value is not None:
                name = _snake(kind)
                definitions.append({"type": name, "name": name, **(value if type(value) is dict else {})})
    return definitions


def _read_declaration(declaration: dict[str, Any]) -> dict[str, Any]:
    definition = {"type": "function", "name": str(declaration.get("name"))}
    if declaration.get("description"):
        definition["description"] = declaration["description"]
    parameters = declaration.get("parameters") or declaration.get("parametersJsonSchema")
    return {**definition, "parameters": parameters} if parameters else definition


# --- spelling ------------------------------------------------------------------------------------------------------


def spelt(value: Any) -> dict[str, Any]:
    """The fields of ``value`` as the API spells them."""
    return {_camel(key): item for key, item in value.items()} if type(value) is dict else {}


@lru_cache(maxsize=512)
def _camel(name: str) -> str:
    return re.sub("_([a-z0-9])", lambda found: found[1].upper(), name)


@lru_cache(maxsize=512)
def _snake(name: str) -> str:
    return re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", name)
