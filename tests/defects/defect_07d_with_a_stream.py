"""A wrapped client of Anthropic's: `with client.messages.create(stream=True) as stream`."""

from __future__ import annotations

from typing import Any

from defects.model_calls import ANSWER_OF_CLAUDE, ASK_CLAUDE, KEY, judge_calls, raised
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider


def program() -> dict[str, Any]:
    import anthropic

    import sentrial

    def read() -> None:
        with sentrial.wrap_anthropic(client).messages.create(**ASK_CLAUDE, stream=True) as stream:
            assert list(stream)

    with (
        FakeProvider() as model,
        anthropic.Anthropic(base_url=model.url, **KEY) as client,
        sentrial.begin("alice", "agent", input="hello"),
    ):
        return {"raised": raised(read)}


def judge(seen: Seen) -> Verdict:
    return judge_calls(seen, saying=ANSWER_OF_CLAUDE)
