"""What a call of 1,000 and 1,000 tokens costs, beside the price in the provider's list (USD)."""

from __future__ import annotations

import math
from typing import Any

from defects.seen import Seen, Verdict

# As the providers published them in 2025, times 1,000 and 1,000 tokens.
_LIST = {
    ("openai", "gpt-4o"): 0.0125,
    ("openai", "GPT-4o"): 0.0125,
    ("openai", "gpt-5-mini"): 0.00225,
    ("openai", "gpt-5-nano"): 0.00045,
    ("anthropic", "claude-haiku-4-5"): 0.006,
    ("google", "gemini-2.5-flash"): 0.0028,
}


def program() -> dict[str, Any]:
    import sentrial

    return {
        model: getattr(sentrial.SentrialClient, f"calculate_{provider}_cost")(model, 1000, 1000)
        for provider, model in _LIST
    }


def judge(seen: Seen) -> Verdict:
    wrong = {
        model: (cost, right)
        for (_, model), right in _LIST.items()
        if not math.isclose(cost := seen.printed[model] or 0.0, right, rel_tol=0.001)
    }
    words = "; ".join(f"{model} {cost:g} (list: {right:g})" for model, (cost, right) in wrong.items())
    return Verdict(not wrong, f"{len(_LIST) - len(wrong)} of {len(_LIST)} right" + (f"; {words}" if words else ""))
