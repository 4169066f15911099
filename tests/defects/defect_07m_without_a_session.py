"""`track_without_session=True`, and `SENTRIAL_AUTO_SESSION=call` in the environment: a call without a session."""

from __future__ import annotations

from typing import Any

from defects.model_calls import ASK, KEY, judge_calls
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider

VARIABLES = {"SENTRIAL_AUTO_SESSION": "call"}


def program() -> dict[str, Any]:
    import openai

    import sentrial

    sentrial.configure()
    with FakeProvider() as model, openai.OpenAI(base_url=model.base_url, **KEY) as client:
        sentrial.wrap_openai(client, track_without_session=True).chat.completions.create(**ASK)
    return {}


def judge(seen: Seen) -> Verdict:
    return judge_calls(seen)
