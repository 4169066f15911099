"""The items that OpenAI's responses are made of: messages, reasoning, calls of tools and what tools gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sentrial._providers.parts import blob, uri
from sentrial._providers.values import NOTHING, decoded, fields_of, string
from sentrial.types import Message, Part

CLIENT_CALLS = frozenset(
    ["function_call", "custom_tool_call", "computer_call", "local_shell_call", "apply_patch_call", "shell_call"]
)
"""Items that ask the program to run a tool; the others' tools run at the provider."""

_ROLES = {"developer": "system"}
_BY_OTHERS = {"mcp_approval_response": "user"}
# What the provider's own tools are asked for, and what they gave. The rest of an item is neither.
_SERVER_CALLS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "web_search_call": (("action",), ()),
    "file_search_call": (("queries",), ("results",)),
    "code_interpreter_call": (("code", "container_id"), ("outputs",)),
    "image_generation_call": (("revised_prompt",), ("result", "error")),
    "mcp_call": (("server_label", "arguments"), ("output", "error")),
    "tool_search_call": (("arguments",), ()),
    "shell_call": (("action",), ()),
}
_UNREADABLE = ("type", "encrypted_content", "status")


def read_input(items: Any) -> list[Message]:
    """The snapshot of what was asked: one text, or items, of which those of one turn of the model are one message."""
    if not isinstance(items, list):
        return [Message("user", [Part.text(str(items))])]
    messages: list[Message] = []
    for item in items:
        role, parts = _read_item(item)
        if role == "assistant" and messages and messages[-1].role == role:
            parts = [*messages.pop().parts, *parts]
        messages.append(Message(role, parts))
    return [message for message in messages if message.parts]


def read_output(items: Any) -> list[Message]:
    """The snapshot of what was answered: one message, of all items."""
    return [Message("assistant", [part for item in items for part in _read_item(item)[1]])]


def read_system(instructions: Any) -> list[Part]:
    """The snapshot of instructions: a text, or items."""
    return [part for message in read_input(instructions) for part in message.parts]


def read_asked(kind: str, item: Mapping[str, Any]) -> tuple[str, Any]:
    """The tool that an item of this kind asks the program to run, and its arguments."""
    name = str(item.get("name") or kind.removesuffix("_call"))
    if kind == "custom_tool_call":
        return name, item.get("input")
    if "arguments" in item:
        return name, decoded(item["arguments"])
    keys = ("action", "actions", "operation")
    return name, {key: _said(item[key]) for key in keys if item.get(key) is not None}


def read_result(item: Mapping[str, Any]) -> Any:
    """What a tool gave, of the item that tells the model."""
    output = item.get("output")
    if isinstance(output, list):
        return [_read_part(part).to_json() if isinstance(part, dict) else part for part in output]
    if isinstance(output, dict) and output.get("type") == "computer_screenshot":
        return _read_part(output).to_json()
    return output


def _read_item(item: Any) -> tuple[str, list[Part]]:
    if not isinstance(item, dict):
        return "user", [Part.text(str(item))]
    kind = item.get("type") or ("message" if "role" in item else "item_reference")
    if kind == "message":
        role = item.get("role")
        return _ROLES.get(role, role) if isinstance(role, str) else "user", _read_content(item.get("content"))
    if kind == "reasoning":
        texts = [*(item.get("summary") or ()), *(item.get("content") or ())]
        return "assistant", [
            Part.reasoning(text["text"]) for text in texts if isinstance(text, dict) and "text" in text
        ]
    if kind.endswith("_call_output"):
        return "tool", [Part.tool_call_response(string(item.get("call_id") or item.get("id")), read_result(item))]
    if kind in _SERVER_CALLS and not _runs_here(kind, item):
        return "assistant", _read_server_call(kind, item)
    if kind in CLIENT_CALLS or kind == "tool_search_call":
        name, arguments = read_asked(kind, item)
        return "assistant", [Part.tool_call(name, string(item.get("call_id") or item.get("id")), arguments)]
    return _BY_OTHERS.get(kind, "assistant"), [_generic(kind, item)]


def _runs_here(kind: str, item: dict[str, Any]) -> bool:
    if kind == "shell_call":
        environment = item.get("environment")
        return not (isinstance(environment, dict) and environment.get("type") == "container_reference")
    return item.get("execution") == "client"


def _read_server_call(kind: str, item: dict[str, Any]) -> list[Part]:
    asked, given = _SERVER_CALLS[kind]
    kind = kind.removesuffix("_call")
    head = {"id": item["id"]} if item.get("id") else {}
    call = {key: decoded(item[key]) if key == "arguments" else _said(item[key]) for key in asked if item.get(key)}
    named = {"name": str(item.get("name") or kind)}
    parts = [Part("server_tool_call", {**head, **named, "server_tool_call": {"type": kind, **call}})]
    answer = {key: _said(item[key]) for key in given if item.get(key)}
    if kind == "image_generation" and "result" in answer:
        picture = blob("image", f"image/{item.get('output_format') or 'png'}", answer["result"])
        answer["result"] = picture.to_json()
    if answer:
        parts.append(Part("server_tool_call_response", {**head, "server_tool_call_response": {"type": kind, **answer}}))
    return parts


def _said(value: Any) -> Any:
    """Without what an object of the client's has a place for, and the API has not said."""
    if fields := fields_of(value):
        return {key: _said(item) for key, item in fields.items() if item is not None}
    return [_said(item) for item in value] if isinstance(value, list) else value


def _read_content(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Part.text(content)] if content else []
    parts = content if isinstance(content, list) else []
    return [_read_part(part) if isinstance(part, dict) else Part.text(str(part)) for part in parts]


def _read_part(part: dict[str, Any]) -> Part:
    kind = str(part.get("type"))
    read = _PARTS.get(kind)
    return read(part) if read else _generic(kind, part)


def _read_text(part: dict[str, Any]) -> Part:
    return Part.text(str(part.get("text")))


def _read_reasoning(part: dict[str, Any]) -> Part:
    return Part.reasoning(str(part.get("text")))


def _read_refusal(part: dict[str, Any]) -> Part:
    return Part("refusal", {"content": str(part.get("refusal"))})


def _read_image(part: dict[str, Any]) -> Part:
    return _read_stored(part, "image") or uri(part.get("image_url"), "image")


def _read_file(part: dict[str, Any]) -> Part:
    return _read_stored(part, "document") or uri(part.get("file_url") or part.get("file_data"), "document")


def _read_stored(part: dict[str, Any], modality: str) -> Part | None:
    return Part("file", {"modality": modality, "file_id": part["file_id"]}) if part.get("file_id") else None


def _read_audio(part: dict[str, Any]) -> Part:
    audio = part.get("input_audio") or NOTHING
    return blob("audio", f"audio/{audio.get('format')}", audio.get("data"))


def _generic(kind: str, fields: dict[str, Any]) -> Part:
    return Part(kind, {key: value for key, value in fields.items() if key not in _UNREADABLE and value is not None})


_PARTS: Mapping[str, Callable[[dict[str, Any]], Part]] = {
    "input_text": _read_text,
    "output_text": _read_text,
    "text": _read_text,
    "summary_text": _read_reasoning,
    "reasoning_text": _read_reasoning,
    "refusal": _read_refusal,
    "input_image": _read_image,
    "computer_screenshot": _read_image,
    "input_file": _read_file,
    "input_audio": _read_audio,
}
