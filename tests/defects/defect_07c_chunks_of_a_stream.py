"""A wrapped client: a stream read with `chunk.choices[0].delta`."""

from __future__ import annotations

from typing import Any

from defects.model_calls import ASK, KEY, judge_calls, raised
from defects.seen import Seen, Verdict
from fake_provider import Answer, FakeProvider, Request


class Provider(FakeProvider):
    """Counts tokens in a last chunk without choices only where it is asked to, as OpenAI does."""

    def take(self, request: Request) -> Answer:
        super().take(request)
        return Answer.stream(usage="stream_options" in request.body)


def program() -> dict[str, Any]:
    import openai

    import sentrial

    def read() -> None:
        for chunk in sentrial.wrap_openai(client).chat.completions.create(**ASK, stream=True):
            assert chunk.choices[0].delta is not None

    with (
        Provider() as model,
        openai.OpenAI(base_url=model.base_url, **KEY) as client,
        sentrial.begin("alice", "agent", input="hello"),
    ):
        return {"raised": raised(read)}


def judge(seen: Seen) -> Verdict:
    return judge_calls(seen)
