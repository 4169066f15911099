"""Why an answer ended, in the words of OpenAI's chat and completions and of the services that speak these APIs."""

from __future__ import annotations

from typing import Any

from sentrial._providers.values import UNFINISHED, string

# Of all services at once: no word means two things.
_KNOWN = {
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "model_length": "length",
    "max_tokens": "length",
}


def read_finish_reason(reason: Any) -> str:
    """The conventions' word; the service's own where they have none."""
    said = string(reason)
    return UNFINISHED if said is None else _KNOWN.get(said, said)
