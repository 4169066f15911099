"""A wrapped client: 1,000 tokens, 900 of them from the cache, and none of an answer (gpt-4o)."""

from __future__ import annotations

import math
from typing import Any

from defects.model_calls import ASK, KEY, calls, number
from defects.seen import Seen, Verdict
from fake_provider import Answer, FakeProvider, read_reply

# As OpenAI published it in 2025: 2.50 USD a million, 1.25 from the cache.
_LIST = 0.001375


def program() -> dict[str, Any]:
    import openai

    import sentrial

    reply = read_reply("chat_text")
    reply["model"] = "gpt-4o-2024-08-06"
    reply["usage"] = {
        "prompt_tokens": 1000,
        "completion_tokens": 0,
        "total_tokens": 1000,
        "prompt_tokens_details": {"cached_tokens": 900},
    }
    with FakeProvider() as model, openai.OpenAI(base_url=model.base_url, **KEY) as client:
        model.queue(Answer(body=reply))
        with sentrial.begin("alice", "agent", input="hello"):
            sentrial.wrap_openai(client).chat.completions.create(**ASK)
    return {}


def judge(seen: Seen) -> Verdict:
    (call,) = calls(seen)
    cost = number(call, "estimatedCost", "sentrial.estimated_cost")
    return Verdict(math.isclose(cost, _LIST, rel_tol=0.001), f"{cost:g} USD (list: {_LIST:g})")
