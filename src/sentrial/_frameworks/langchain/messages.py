"""LangChain's messages, as the conventions have them: objects, and the tuples, dicts and texts that stand for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sentrial._frameworks.langchain.blocks import CALLS, read_block, read_call, read_content, read_result, read_thoughts
from sentrial._providers.values import fields_of, items_of, string
from sentrial.types import Deferred, Message, Part

_ROLES = {
    "human": "user", "ai": "assistant", "model": "assistant", "developer": "system", "function": "tool",
}  # fmt: skip
_CHUNK = "messagechunk"
# It tells a graph to forget one; no model sees it.
_REMOVAL = "remove"

_SAID = ("type", "role", "content", "name", "tool_calls", "invalid_tool_calls", "tool_call_id", "status")
_SAID_BESIDE = ("reasoning_content", "reasoning", "refusal", "audio", "function_call", "tool_calls", "tool_outputs")


def defer_messages(messages: Any) -> Deferred[Sequence[Message]]:
    """``messages`` as content that is read later: a list of them, or one.

    The user's thread picks from each what was said, by reference. What came with it stays out of the snapshot: a tool's
    artifact, which may be of any size, log probabilities, the answer's headers.
    """
    several = messages if isinstance(messages, list | tuple) else [messages]
    return Deferred([_pick(message) for message in several], read_messages)


def _pick(message: Any) -> Any:
    fields = getattr(message, "__dict__", None)
    if not isinstance(fields, dict) or "content" not in fields:
        return message
    picked = {key: fields[key] for key in _SAID if fields.get(key)}
    beside = fields.get("additional_kwargs")
    if beside:
        picked["additional_kwargs"] = {key: beside[key] for key in _SAID_BESIDE if beside.get(key)}
    return picked


def read_messages(copy: Any) -> list[Message]:
    """The snapshot of a list of messages: of the objects themselves, or of what :func:`defer_messages` picks."""
    return [_read_message(message) for message in copy if fields_of(message).get("type") != _REMOVAL]


def _read_message(message: Any) -> Message:
    if isinstance(message, list) and len(message) == 2 and isinstance(message[0], str):
        message = {"role": message[0], "content": message[1]}
    if not isinstance(message, dict):
        return Message("user", [Part.text(str(message))])
    role = _read_role(message)
    parts = [_read_response(message)] if role == "tool" else list(_read_parts(message))
    if role == "user" and parts and all(part.type == "tool_call_response" for part in parts):
        # Anthropic's API has no role for tools: what they gave comes in a message of the user's.
        role = "tool"
    return Message(role, parts, string(message.get("name")))


def _read_role(message: dict[str, Any]) -> str:
    # A ChatMessage says its role beside its type.
    said = string(message.get("role")) or string(message.get("type")) or "user"
    role = said.lower().removesuffix(_CHUNK) or "user"
    if role == "chat":
        role = "user"
    return _ROLES.get(role, role)


def _read_response(message: dict[str, Any]) -> Part:
    part = Part.tool_call_response(string(message.get("tool_call_id")), read_result(message.get("content", "")))
    return Part(part.type, {**part.fields, "is_error": True}) if message.get("status") == "error" else part


def _read_parts(message: dict[str, Any]) -> Iterator[Part]:
    beside = fields_of(message.get("additional_kwargs"))
    calls = _calls_of(message)
    content = message.get("content")
    blocks = content if isinstance(content, list) else read_content(content)
    kinds = {fields_of(block).get("type") for block in blocks}
    if not kinds & {"reasoning", "thinking"}:
        yield from _read_thought(beside.get("reasoning_content") or beside.get("reasoning"))
    for block in blocks:
        if isinstance(block, Part):
            yield block
        elif isinstance(block, dict) and block.get("type") in CALLS:
            # The message's own list of calls has the arguments whole; the block has the place.
            call_id = string(block.get("call_id")) or string(block.get("id"))
            yield read_call(calls.pop(call_id, block))
        elif not (isinstance(block, dict) and block.get("type") == "input_json_delta"):
            yield from read_block(block)
    for output in items_of(beside.get("tool_outputs")):
        yield from read_block(output)
    if string(beside.get("refusal")) and "refusal" not in kinds:
        yield Part("refusal", {"content": beside["refusal"]})
    yield from _read_audio(beside.get("audio"))
    yield from map(read_call, calls.values())


def _calls_of(message: dict[str, Any]) -> dict[Any, dict[str, Any]]:
    """The calls by their ids; those without one by their place."""
    beside = fields_of(message.get("additional_kwargs"))
    calls = [*items_of(message.get("tool_calls")), *items_of(message.get("invalid_tool_calls"))]
    calls = calls or [*items_of(beside.get("tool_calls")), beside.get("function_call")]
    known = [call for call in calls if isinstance(call, dict) and call]
    return {string(call.get("id")) or place: call for place, call in enumerate(known)}


def _read_thought(thought: Any) -> list[Part]:
    if isinstance(thought, dict):
        return read_thoughts(thought)
    return [Part.reasoning(thought)] if string(thought) else []


def _read_audio(audio: Any) -> list[Part]:
    if isinstance(audio, bytes):
        # What Google's model makes of the samples that the API gives.
        return read_block({"type": "audio", "mime_type": "audio/wav", "data": audio})
    said = fields_of(audio)
    parts = [Part.text(said["transcript"])] if string(said.get("transcript")) else []
    return parts + (read_block({"type": "audio", "data": said["data"]}) if said.get("data") else [])
