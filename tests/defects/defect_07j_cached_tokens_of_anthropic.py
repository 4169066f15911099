"""A wrapped client of Anthropic's: 10 tokens and 7,000 from the cache (claude-sonnet-4-5)."""

from __future__ import annotations

import math
from typing import Any

from defects.model_calls import ASK_CLAUDE, KEY, calls, number
from defects.seen import Seen, Verdict
from fake_provider import Answer, FakeProvider, read_reply

# As Anthropic published it in 2025: 3 USD a million, 0.30 from the cache.
_LIST = 0.00213


def program() -> dict[str, Any]:
    import anthropic

    import sentrial

    reply = read_reply("message_text")
    reply["model"] = "claude-sonnet-4-5-20250929"
    reply["usage"] = {
        "input_tokens": 10,
        "output_tokens": 0,
        "cache_read_input_tokens": 7000,
        "cache_creation_input_tokens": 0,
    }
    with FakeProvider() as model, anthropic.Anthropic(base_url=model.url, **KEY) as client:
        model.queue(Answer(body=reply))
        with sentrial.begin("alice", "agent", input="hello"):
            sentrial.wrap_anthropic(client).messages.create(**ASK_CLAUDE)
    return {}


def judge(seen: Seen) -> Verdict:
    (call,) = calls(seen)
    cost = number(call, "estimatedCost", "sentrial.estimated_cost")
    tokens = number(call, "tokenCount", "gen_ai.usage.input_tokens")
    right = math.isclose(cost, _LIST, rel_tol=0.001) and tokens == 7010
    return Verdict(right, f"{tokens:,.0f} of 7,010 tokens; {cost:g} USD (list: {_LIST:g})")
