"""A wrapped client: `chat.completions.with_raw_response.create`."""

from __future__ import annotations

from typing import Any

from defects.model_calls import ASK, KEY, judge_calls, raised
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider


def program() -> dict[str, Any]:
    import openai

    import sentrial

    with FakeProvider() as model, openai.OpenAI(base_url=model.base_url, **KEY) as client:
        completions = sentrial.wrap_openai(client).chat.completions
        with sentrial.begin("alice", "agent", input="hello"):
            return {"raised": raised(lambda: completions.with_raw_response.create(**ASK).parse())}


def judge(seen: Seen) -> Verdict:
    return judge_calls(seen)
