"""A wrapped client: a stream that is left by `break` after its first words."""

from __future__ import annotations

from typing import Any

from defects.model_calls import ASK, KEY, judge_calls
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider


def program() -> dict[str, Any]:
    import openai

    import sentrial

    def read() -> None:
        for chunk in sentrial.wrap_openai(client).chat.completions.create(**ASK, stream=True):
            if chunk.choices[0].delta.content:
                break

    with (
        FakeProvider() as model,
        openai.OpenAI(base_url=model.base_url, **KEY) as client,
        sentrial.begin("alice", "agent", input="hello"),
    ):
        read()
    return {}


def judge(seen: Seen) -> Verdict:
    return judge_calls(seen, saying="The parcel")
