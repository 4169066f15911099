"""A wrapped client of Anthropic's: `messages.stream` read by `text_stream`, and by `get_final_message`."""

from __future__ import annotations

from typing import Any

from defects.model_calls import ANSWER_OF_CLAUDE, ASK_CLAUDE, KEY, judge_calls, raised
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider


def program() -> dict[str, Any]:
    import anthropic

    import sentrial

    def read() -> None:
        with client.messages.stream(**ASK_CLAUDE) as stream:
            assert list(stream.text_stream)
        with client.messages.stream(**ASK_CLAUDE) as stream:
            stream.get_final_message()

    with FakeProvider() as model, anthropic.Anthropic(base_url=model.url, **KEY) as client:
        sentrial.wrap_anthropic(client)
        with sentrial.begin("alice", "agent", input="hello"):
            return {"raised": raised(read)}


def judge(seen: Seen) -> Verdict:
    return judge_calls(seen, of=2, saying=ANSWER_OF_CLAUDE)
