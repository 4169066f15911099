"""What services say of tokens and dollars in the same words, whichever API they speak."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sentrial._providers.values import all_fields, count, number

_TICKS = 10_000_000_000
"""xAI's of a dollar."""


def read_whole_output(output: int | None, thoughts: int | None, given: int | None, whole: int | None) -> int | None:
    """The tokens of an answer with its ``thoughts``, whichever way they were counted.

    Most services count them as ``output``; some beside it: then the ``whole`` holds both (xAI's chat, gateways to
    Gemini), or they are more than what they would be a part of (Perplexity, whose whole leaves them out).
    """
    if not thoughts or output is None:
        return output
    beside = thoughts > output or whole == (given or 0) + output + thoughts
    return output + thoughts if beside else output


def read_stated_cost(usage: Mapping[str, Any]) -> float | None:
    """Dollars that a service charges for the call, where it says so."""
    ticks = number(usage.get("cost_in_usd_ticks"))
    if ticks is not None:
        return _dollars(ticks / _TICKS)
    said = usage.get("cost")
    cost = number(said)
    if cost is None:
        return _dollars(number(all_fields(said).get("total_cost")))  # Perplexity's
    if usage.get("is_byok") is True:
        # OpenRouter, with a key of the program's own: what it charges is its fee, and the provider charges the rest.
        cost += number(all_fields(usage.get("cost_details")).get("upstream_inference_cost")) or 0.0
    return _dollars(cost)


def read_web_searches(usage: Mapping[str, Any]) -> int | None:
    """How often the service has searched the web for the call, in Anthropic's words."""
    return count(all_fields(usage.get("server_tool_use")).get("web_search_requests"))


def _dollars(cost: float | None) -> float | None:
    return cost if cost is not None and 0 <= cost < math.inf else None
