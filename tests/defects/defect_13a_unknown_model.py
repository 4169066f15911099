"""What a call of 1,000 and 1,000 tokens costs with a model that the helper does not know."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

_MODELS = ("llama-3.3-70b-of-our-own", "a-model-that-nobody-knows")


def program() -> dict[str, Any]:
    import sentrial

    return {
        provider: [
            getattr(sentrial.SentrialClient, f"calculate_{provider}_cost")(model, 1000, 1000) for model in _MODELS
        ]
        for provider in ("openai", "anthropic", "google")
    }


def judge(seen: Seen) -> Verdict:
    # NaN says "nobody knows", and so does None.
    guessed = {
        provider: costs[0] for provider, costs in seen.printed.items() if costs[0] is not None and costs[0] == costs[0]
    }
    words = ", ".join(f"{provider} {cost:g} USD" for provider, cost in guessed.items())
    return Verdict(not guessed, f"a price all the same: {words}" if guessed else "no price")
