"""The messages of OpenAI's chat completions: what was asked and what was answered, read on our own thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentrial._providers.parts import blob, uri
from sentrial._providers.values import decoded, fields_of, items_of, joined, listed, string
from sentrial.types import Message, Part

THOUGHTS: Mapping[str, str] = {"thinking": "thinking", "reasoning": "summary"}
"""The parts that a model's thoughts come in, Mistral's and those of Databricks, and the field that has them."""

_ROLES = {"developer": "system", "function": "tool"}


def read_messages(messages: Any) -> list[Message]:
    """The snapshot of a list of messages, as the API takes them and gives them."""
    return [_read_message(message) for message in messages]


def _read_message(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message("user", [Part.text(str(message))])
    role = message.get("role")
    role = _ROLES.get(role, role) if isinstance(role, str) else "user"
    thought = string(message.get("reasoning_content")) or string(message.get("reasoning"))
    parts = [Part.reasoning(thought)] if thought else []
    parts += [part for call in items_of(message.get("executed_tools")) for part in _read_server_call(fields_of(call))]
    if role == "tool":
        parts.append(Part.tool_call_response(string(message.get("tool_call_id")), message.get("content")))
    else:
        parts += _read_content(message.get("content"))
    # OpenRouter and LiteLLM have a place of its own for what the model draws.
    parts += [_read_part(image) for image in items_of(message.get("images")) if isinstance(image, dict)]
    if string(message.get("refusal")):
        parts.append(Part("refusal", {"content": message["refusal"]}))
    parts += _read_audio(fields_of(message.get("audio")))
    calls = listed(message.get("tool_calls")) or [{"function": message.get("function_call")}]
    parts += [_read_tool_call(call) for call in calls if any(map(fields_of(call).get, ("function", "custom")))]
    return Message(role, parts, string(message.get("name")))


def _read_content(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Part.text(content)] if content else []
    parts = content if isinstance(content, list) else []
    return [_read_part(part) if isinstance(part, dict) else Part.text(str(part)) for part in parts]


def _read_part(part: dict[str, Any]) -> Part:
    kind = str(part.get("type"))
    value = part.get(kind)
    if kind in ("text", "refusal"):
        return Part(kind, {"content": str(value)})
    if kind in THOUGHTS:
        return Part.reasoning(read_thought(part))
    if kind == "image_url":
        return uri(value.get("url") if isinstance(value, dict) else value, "image")
    if kind == "input_audio" and isinstance(value, dict):
        return blob("audio", f"audio/{value.get('format')}", value.get("data"))
    if kind == "file" and isinstance(value, dict):
        if value.get("file_id"):
            return Part("file", {"modality": "document", "file_id": value["file_id"]})
        return uri(value.get("file_data"), "document")
    return Part(kind, {key: item for key, item in part.items() if key != "type"})


def read_thought(part: Mapping[str, Any]) -> str:
    """What a part of the kinds in :data:`THOUGHTS` says: a text, or the parts of one."""
    thought = part.get(THOUGHTS[part["type"]])
    return joined([fields_of(piece).get("text", piece) for piece in listed(thought) or [thought or ""]])


def _read_audio(audio: dict[str, Any]) -> list[Part]:
    parts = [Part.text(audio["transcript"])] if audio.get("transcript") else []
    if audio.get("data"):
        parts.append(blob("audio", "audio/*", audio["data"]))
    elif audio.get("id") and not parts:
        parts.append(Part("file", {"modality": "audio", "file_id": audio["id"]}))
    return parts


def _read_tool_call(call: dict[str, Any]) -> Part:
    function = fields_of(call.get("function") or call.get("custom"))
    arguments = function.get("arguments", function.get("input"))
    if call.get("type") != "custom":
        arguments = decoded(arguments)
    return Part.tool_call(str(function.get("name")), string(call.get("id")), arguments)


def _read_server_call(call: dict[str, Any]) -> list[Part]:
    """A tool that Groq's systems have run by themselves: what it was asked for, and what it gave."""
    kind = str(call.get("type"))
    given = {key: value for key, value in call.items() if value and key not in ("type", "index", "arguments")}
    said = {"server_tool_call": {"type": kind, "arguments": decoded(call.get("arguments"))}}
    if given:
        said["server_tool_call_response"] = {"type": kind, **given}
    return [Part(name, {"name": kind, name: fields}) for name, fields in said.items()]
