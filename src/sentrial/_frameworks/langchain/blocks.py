"""The content of LangChain's messages: its own standard blocks, older and newer, and those of the providers' APIs.

LangChain passes on what a provider answers nearly as it came, so that one history can hold blocks of several APIs. All
of it is read on our own thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentrial._providers.parts import blob, modality_of, readable, uri
from sentrial._providers.values import decoded, fields_of, items_of, string
from sentrial.types import Part

CALLS = frozenset(
    ["tool_call", "tool_call_chunk", "invalid_tool_call", "tool_use", "function_call", "custom_tool_call"]
)
"""Blocks that ask the program to run a tool."""

_TEXTS = ("text", "input_text", "output_text")
_THOUGHTS = ("reasoning", "thinking", "redacted_thinking", "reasoning_content")
_SERVER_CALLS = frozenset(["server_tool_call", "server_tool_use", "mcp_tool_use", "executable_code"])
_SERVER_RESULTS = frozenset(["server_tool_result", "code_execution_result"])
_RESULT = "_tool_result"
_CODE = "code_execution"
_OK = 1  # of Google's outcomes of a run of code
_ADDRESSES = ("url", "image_url", "file_url", "file_uri")
_MEDIA: Mapping[str, str | None] = {
    "image": "image", "image_url": "image", "input_image": "image", "audio": "audio", "input_audio": "audio",
    "video": "video", "file": None, "input_file": None, "document": None, "media": None, "text-plain": None,
}  # fmt: skip
# What tells LangChain how to put chunks together, and the API what it has said before.
_BESIDE = frozenset(["type", "index", "extras"])


def read_content(content: Any) -> list[Part]:
    """The snapshot of a message's content: a text, or blocks."""
    if isinstance(content, str):
        return [Part.text(content)] if content else []
    blocks = content if isinstance(content, list) else [] if content is None else [content]
    return [part for block in blocks for part in read_block(block)]


def read_block(block: Any) -> list[Part]:
    """The snapshot of one block. Most are one part; a thought can be several, and an empty text is none."""
    if not isinstance(block, dict):
        return [Part.text(str(block))] if block != "" else []
    kind = _kind_of(block)
    if kind in _TEXTS:
        text = block.get("text")
        return [Part.text(str(text))] if text else []
    if kind in _THOUGHTS:
        return read_thoughts(block)
    if kind in CALLS:
        return [read_call(block)]
    if kind == "refusal":
        return [Part("refusal", {"content": str(block.get("refusal"))})]
    if kind in ("tool_result", "function_call_output"):
        return [_read_tool_result(block)]
    if kind in _SERVER_CALLS:
        return [_read_server_call(block)]
    if kind in _SERVER_RESULTS or kind.endswith(_RESULT):
        return [_read_server_result(kind, block)]
    if kind in _MEDIA:
        return [_read_media(kind, block)]
    if kind == "non_standard" and isinstance(block.get("value"), dict):
        return read_block(block["value"])
    return [_generic(kind, block)]


def _kind_of(block: dict[str, Any]) -> str:
    """The API of Bedrock names the kind of a block by its only key."""
    kind = block.get("type")
    if isinstance(kind, str):
        return kind
    return next((key for key in ("text", "image", "document", "video") if key in block), "unknown")


def read_result(content: Any) -> Any:
    """What a tool has given: its text, or its parts where there is more to it than text."""
    if not isinstance(content, list):
        return content
    parts = read_content(content)
    if all(part.type == "text" for part in parts):
        return "\n".join(part.fields["content"] for part in parts)
    return [part.to_json() for part in parts]


# --- thoughts and tools --------------------------------------------------------------------------------------------


def read_thoughts(block: dict[str, Any]) -> list[Part]:
    """The snapshot of what a model thought: one text, or the summaries that OpenAI makes of it."""
    inner = block.get("reasoning_content")
    block = inner if isinstance(inner, dict) else block
    # The APIs take a thought back only with its signature, or with the whole of what they have made unreadable.
    proof = {key: block[key] for key in ("signature", "data") if string(block.get(key))}
    thought = next((block[key] for key in ("reasoning", "thinking", "text") if string(block.get(key))), None)
    if thought is not None:
        return [Part("reasoning", {"content": thought, **proof})]
    texts = [fields_of(each).get("text") for key in ("summary", "content") for each in items_of(block.get(key))]
    if proof.get("data"):
        return [Part("redacted_thinking", proof)]
    return [Part.reasoning(text) for text in map(string, texts) if text]


def read_call(call: dict[str, Any]) -> Part:
    """The snapshot of a call of a tool, as LangChain or an API words it; arguments decoded where they are JSON."""
    function = fields_of(call.get("function")) or fields_of(call.get("custom")) or call
    arguments: Any = next(
        (function[key] for key in ("args", "arguments", "partial_json", "input") if function.get(key)), {}
    )
    call_id = string(call.get("call_id")) or string(call.get("id"))
    return Part.tool_call(str(function.get("name")), call_id, decoded(arguments))


def _read_tool_result(block: dict[str, Any]) -> Part:
    call_id = string(block.get("tool_use_id")) or string(block.get("call_id"))
    part = Part.tool_call_response(call_id, read_result(block.get("content", block.get("output"))))
    return Part(part.type, {**part.fields, "is_error": True}) if block.get("is_error") is True else part


def _read_server_call(block: dict[str, Any]) -> Part:
    name = string(block.get("name")) or _CODE
    call: dict[str, Any] = {"type": "mcp" if block.get("type") == "mcp_tool_use" else name}
    if block.get("type") == "executable_code":
        language = block.get("language")
        call |= {"language": str(getattr(language, "name", language)).lower(), "code": block.get("executable_code")}
    else:
        call["arguments"] = decoded(block.get("args") or block.get("input") or {})
    if block.get("server_name"):
        call["server_name"] = block["server_name"]
    return Part("server_tool_call", {**_id_of(block.get("id")), "name": name, "server_tool_call": call})


def _read_server_result(kind: str, block: dict[str, Any]) -> Part:
    name = kind.removesuffix(_RESULT) if kind.endswith(_RESULT) else _CODE
    if kind == "server_tool_result":
        name = string(block.get("name")) or "tool"
    content = next((block[key] for key in ("output", "content", kind) if block.get(key) is not None), None)
    result = {"type": name, "content": readable(content)}
    if block.get("is_error") is True or block.get("status") == "error" or block.get("outcome", _OK) != _OK:
        result["is_error"] = True
    named = {**_id_of(block.get("tool_call_id") or block.get("tool_use_id")), "name": name}
    return Part("server_tool_call_response", {**named, "server_tool_call_response": result})


# --- images, sound, documents --------------------------------------------------------------------------------------


def _read_media(kind: str, block: dict[str, Any]) -> Part:
    # OpenAI's chat and Bedrock keep what there is to say under the name of the kind, Anthropic under the source.
    said = {**block, **fields_of(block.get(kind))}
    source = fields_of(said.get("source"))
    said |= {key: value for key, value in source.items() if key != "type"}
    mime_type = string(said.get("mime_type")) or string(said.get("media_type")) or _mime_of(kind, said.get("format"))
    modality = _MEDIA[kind] or modality_of(mime_type)
    typed = {"mime_type": mime_type} if mime_type else {}
    file_id = string(said.get("file_id")) or (string(said.get("id")) if said.get("source_type") == "id" else None)
    address = next((said[key] for key in _ADDRESSES if string(said.get(key))), None)
    data = next((said[key] for key in ("base64", "data", "bytes", "file_data") if said.get(key)), None)
    text = string(said.get("text")) or (data if source.get("type") == "text" else None)
    if text is not None or said.get("content") is not None:
        titles = {key: said[key] for key in ("title", "context") if said.get(key)}
        return Part(modality, {**titles, "content": text if text is not None else read_result(said["content"])})
    if file_id is not None:
        return Part("file", {"modality": modality, "file_id": file_id, **typed})
    if address is None and isinstance(data, str) and data.startswith("data:"):
        address = data
    if address is not None:
        part = uri(address, modality)
        return Part(part.type, {**typed, **part.fields})
    if isinstance(data, bytes):
        return Part("blob", {"modality": modality, **typed, "content": data})
    if data is not None:
        return blob(modality, mime_type or f"{modality}/*", data)
    return _generic(kind, block)


def _mime_of(kind: str, form: Any) -> str | None:
    if not isinstance(form, str):
        return None
    family = _MEDIA[kind]
    return f"{family}/{form}" if family else f"application/{form}"


# --- what is left --------------------------------------------------------------------------------------------------


def _generic(kind: str, block: dict[str, Any]) -> Part:
    return Part(kind, readable({key: value for key, value in block.items() if key not in _BESIDE}))


def _id_of(value: Any) -> dict[str, Any]:
    return {"id": value} if string(value) else {}
