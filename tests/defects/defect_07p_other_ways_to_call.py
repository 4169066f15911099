"""Wrapped clients: responses, embeddings, `parse`, `with_options`, `beta.messages`, one call of each."""

from __future__ import annotations

from typing import Any

from defects.model_calls import ASK, ASK_CLAUDE, KEY, judge_calls
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider


def program() -> dict[str, Any]:
    import anthropic
    import openai

    import sentrial

    with (
        FakeProvider() as model,
        openai.OpenAI(base_url=model.base_url, **KEY) as client,
        anthropic.Anthropic(base_url=model.url, **KEY) as claude,
    ):
        sentrial.wrap_openai(client)
        sentrial.wrap_anthropic(claude)
        completions = client.chat.completions
        with sentrial.begin("alice", "agent", input="hello"):
            if hasattr(client, "responses"):
                client.responses.create(model="gpt-4o", input="Where is my parcel?")
            else:
                completions.create(**ASK)
            client.embeddings.create(model="text-embedding-3-small", input="parcels")
            (completions if hasattr(completions, "parse") else client.beta.chat.completions).parse(**ASK)
            client.with_options(timeout=30).chat.completions.create(**ASK)
            claude.beta.messages.create(**ASK_CLAUDE)
    return {}


def judge(seen: Seen) -> Verdict:
    return judge_calls(seen, of=5, saying=None)
