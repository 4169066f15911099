"""What a caller gives as input or output, as the conventions' messages."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sentrial import _guard
from sentrial._json import JsonText
from sentrial._snapshot import Tally, snapshot
from sentrial.types import Deferred, Message, Part


def read_input(value: Any) -> list[Message]:
    """The snapshot of an input: a chat history as it is, anything else as one message of the user's."""
    return _read_messages(value, "user")


def read_output(value: Any) -> list[Message]:
    """The snapshot of an output: messages as they are, anything else as one message of the assistant's."""
    return _read_messages(value, "assistant")


def defer_input(value: object) -> Deferred[Sequence[Message]]:
    """An input that is read later: as any caller's, where it does not say itself how."""
    return value if _guard.is_a(value, Deferred) else Deferred(value, read_input)


def defer_output(value: object) -> Deferred[Sequence[Message]]:
    """An output that is read later: as any caller's, where it does not say itself how."""
    return value if _guard.is_a(value, Deferred) else Deferred(value, read_output)


def finished(output: Deferred[Sequence[Message]], reasons: Sequence[str]) -> Deferred[Sequence[Message]]:
    """``output`` with the reason in each message: one for each, the last one for those beyond."""
    return Deferred(output.value, functools.partial(_read_finished, output.read, reasons)) if reasons else output


def _read_finished(read: Callable[[Any], Sequence[Message]], reasons: Sequence[str], copy: Any) -> list[Message]:
    last = len(reasons) - 1
    return [replace(message, finish_reason=reasons[min(number, last)]) for number, message in enumerate(read(copy))]


def read_tool_call_ids(output: object) -> list[str]:
    """The ids of the tool calls that ``output``, as the caller gave it, asks for."""
    ids = []
    for message in output if _guard.is_a(output, list, tuple) else [output]:
        calls = _field(message, "tool_calls")
        for call in calls if _guard.is_a(calls, list, tuple) else ():
            call_id = _field(call, "id")
            if _guard.is_a(call_id, str):
                ids.append(str.__str__(call_id))
    return ids


def _field(value: object, name: str) -> object:
    try:
        return value.get(name) if _guard.is_a(value, dict) else getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a property of the user's own may raise anything; then it has no tool calls
        return None


def _read_messages(value: Any, role: str) -> list[Message]:
    messages = value if isinstance(value, list) else [value]
    if messages and all(map(_is_message, messages)):
        return [Message(item["role"], list(_read_parts(item)), _text(item.get("name"))) for item in messages]
    return [Message(role, [_as_text(value)])]


def _is_message(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("role"), str)
        and ("content" in item or isinstance(item.get("parts"), list) or isinstance(item.get("tool_calls"), list))
    )


def _read_parts(message: dict[str, Any]) -> Iterator[Part]:
    content = message.get("content")
    if message["role"] == "tool" and "content" in message:
        yield Part.tool_call_response(_text(message.get("tool_call_id")), content)
    elif isinstance(content, list):
        yield from map(_read_part, content)
    elif content is not None:
        yield _as_text(content)
    parts, calls = message.get("parts"), message.get("tool_calls")
    yield from map(_read_part, parts if isinstance(parts, list) else ())
    yield from map(_read_tool_call, calls if isinstance(calls, list) else ())


def _read_part(part: Any) -> Part:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return _as_text(part)
    fields = {str(name): item for name, item in part.items() if name != "type"}
    if part["type"] == "text" and "content" not in fields:
        return _as_text(fields.get("text"))
    return Part(part["type"], fields)


def _read_tool_call(call: Any) -> Part:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return Part("tool_call", {"name": "unknown", "arguments": call})
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = snapshot(json.loads(arguments), Tally())
        except (ValueError, RecursionError):
            arguments = function["arguments"]
    return Part.tool_call(_text(function.get("name")) or "unknown", _text(call.get("id")), arguments)


def _as_text(value: Any) -> Part:
    return Part("text", {"content": value if isinstance(value, str) else JsonText(value)})


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
