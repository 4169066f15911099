"""A text completion cut into the events of a stream, as OpenAI sends them."""

from __future__ import annotations

from typing import Any

from fake_provider.chat_stream import DONE, event


def completion_events_of(completion: dict[str, Any], *, usage: bool = True) -> list[bytes]:
    """The events of ``completion``, a word each.

    ``usage``: whether a chunk of its own has it; then all the others say that they have none.
    """
    head = {key: value for key, value in completion.items() if key not in ("choices", "usage")}
    if usage:
        head["usage"] = None
    events = []
    for choice in completion["choices"]:
        for word in choice["text"].split(" ")[1:]:
            piece = {"index": choice["index"], "text": f" {word}", "logprobs": None, "finish_reason": None}
            events.append(event({**head, "choices": [piece]}))
        last = {"index": choice["index"], "text": "", "logprobs": None, "finish_reason": choice["finish_reason"]}
        events.append(event({**head, "choices": [last]}))
    if usage:
        events.append(event({**head, "choices": [], "usage": completion["usage"]}))
    return [*events, DONE]
