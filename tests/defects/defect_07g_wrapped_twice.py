"""A client that is wrapped twice: one call."""

from __future__ import annotations

from typing import Any

from defects.model_calls import ASK, KEY, judge_calls
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider


def program() -> dict[str, Any]:
    import openai

    import sentrial

    with FakeProvider() as model, openai.OpenAI(base_url=model.base_url, **KEY) as client:
        sentrial.wrap_openai(sentrial.wrap_openai(client))
        with sentrial.begin("alice", "agent", input="hello"):
            client.chat.completions.create(**ASK)
    return {}


def judge(seen: Seen) -> Verdict:
    return judge_calls(seen)
