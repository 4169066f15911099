"""What arrived of decorated functions, in the words of tools, decisions and agents."""

from __future__ import annotations

import json
from typing import Any

import sentrial

__all__ = ["arguments_of", "decided", "in_order", "outcome_of", "result_of", "said_in"]

Span = dict[str, Any]


def in_order(server: Any) -> list[Span]:
    """All spans that have ended, in the order of their ends."""
    assert sentrial.flush(10)
    return sorted(server.spans, key=lambda span: int(span["end_ns"]))


def arguments_of(span: Span) -> Any:
    """A tool's arguments, decoded."""
    return json.loads(span["attributes"]["gen_ai.tool.call.arguments"])


def result_of(span: Span) -> Any:
    """A tool's result, decoded."""
    return json.loads(span["attributes"]["gen_ai.tool.call.result"])


def decided(span: Span) -> dict[str, Any]:
    """What a decision says of itself."""
    prefix = "sentrial.decision."
    return {key[len(prefix) :]: value for key, value in span["attributes"].items() if key.startswith(prefix)}


def said_in(span: Span, which: str) -> Any:
    """Role and text of the one message that is a session's ``input`` or ``output``; ``None`` without one."""
    text = span["attributes"].get(f"gen_ai.{which}.messages")
    if text is None:
        return None
    (message,) = json.loads(text)
    (part,) = message["parts"]
    return message["role"], part["content"]


def outcome_of(span: Span) -> tuple[str | None, str | None, int]:
    """A session's outcome, how the stream that it was ended, and its status code."""
    attributes = span["attributes"]
    return attributes.get("sentrial.session.outcome"), attributes.get("sentrial.stream.end"), span["status_code"]
