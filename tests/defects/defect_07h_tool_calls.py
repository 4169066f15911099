"""A wrapped client: an answer that asks for two tools."""

from __future__ import annotations

from typing import Any

from defects.model_calls import ASK, KEY, calls
from defects.seen import Seen, Verdict
from fake_provider import Answer, FakeProvider


def program() -> dict[str, Any]:
    import openai

    import sentrial

    with FakeProvider() as model, openai.OpenAI(base_url=model.base_url, **KEY) as client:
        model.queue(Answer.reply("chat_tools"))
        with sentrial.begin("alice", "agent", input="hello"):
            sentrial.wrap_openai(client).chat.completions.create(**ASK)
    return {}


def judge(seen: Seen) -> Verdict:
    (call,) = calls(seen)
    told = [name for name in ("find_order", "weather") if name in call.text]
    return Verdict(len(told) == 2, f"{len(told)} of 2 arrived")
