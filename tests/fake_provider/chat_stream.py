"""A chat completion cut into the events of a stream, as OpenAI sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

DONE = b"data: [DONE]\n\n"


def event(data: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def events_of(completion: dict[str, Any], *, chunks: int = 4, usage: bool = True) -> list[bytes]:
    """The events of ``completion``; ``chunks``: pieces of each text.

    ``usage``: whether a chunk of its own has it; then all the others say that they have none.
    """
    head = {key: completion[key] for key in ("id", "created", "model") if key in completion}
    head |= {key: completion[key] for key in ("service_tier", "system_fingerprint") if key in completion}
    head["object"] = "chat.completion.chunk"
    if usage:
        head["usage"] = None
    events = []
    for choice in completion["choices"]:
        for delta in _deltas(choice["message"], chunks):
            events.append(event({**head, "choices": [_piece(choice["index"], delta, None)]}))
        events.append(event({**head, "choices": [_piece(choice["index"], {}, choice["finish_reason"])]}))
    if usage:
        events.append(event({**head, "choices": [], "usage": completion["usage"]}))
    return [*events, DONE]


def _piece(index: int, delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _deltas(message: dict[str, Any], chunks: int) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": "", "refusal": None}
    for key in ("reasoning_content", "content", "refusal"):
        for piece in _pieces(message.get(key) or "", chunks):
            yield {key: piece}
    for index, call in enumerate(message.get("tool_calls") or ()):
        name = call["function"]["name"]
        yield {
            "tool_calls": [
                {"index": index, "id": call["id"], "type": "function", "function": {"name": name, "arguments": ""}}
            ]
        }
        for piece in _pieces(call["function"]["arguments"], chunks):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _pieces(text: str, count: int) -> list[str]:
    step = max(1, -(-len(text) // count))
    return [text[start : start + step] for start in range(0, len(text), step)]
