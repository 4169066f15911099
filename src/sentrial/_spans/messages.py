"""What a caller gives as input or output, as the conventions' messages."""

from __future__ import annotations

from typing import Any

from sentrial._payload import json_text
from sentrial.types import Message, Part


def read_input(value: Any) -> list[Message]:
    """The snapshot of an input: a chat history as it is, anything else as one message of the user's."""
    return _read_messages(value, "user")


def read_output(value: Any) -> list[Message]:
    """The snapshot of an output: messages as they are, anything else as one message of the assistant's."""
    return _read_messages(value, "assistant")


def _read_messages(value: Any, role: str) -> list[Message]:
    if isinstance(value, list) and value and all(map(_is_message, value)):
        return [Message(item["role"], [Part.text(item["content"])]) for item in value]
    return [Message(role, [Part.text(value if isinstance(value, str) else json_text(value))])]


def _is_message(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("role"), str) and isinstance(item.get("content"), str)
