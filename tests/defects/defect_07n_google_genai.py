"""`wrap_llm` of a `google.genai.Client`."""

from __future__ import annotations

from typing import Any

from defects.model_calls import judge_calls, raised
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider


def program() -> dict[str, Any]:
    from google import genai

    import sentrial

    def ask() -> None:
        client = genai.Client(api_key="k", http_options={"base_url": model.url})
        wrapped = sentrial.wrap_llm(client)
        wrapped.models.generate_content(model="gemini-2.5-flash", contents="Where is my parcel?")

    with FakeProvider() as model, sentrial.begin("alice", "agent", input="hello"):
        return {"raised": raised(ask)}


def judge(seen: Seen) -> Verdict:
    return judge_calls(seen, saying="Your parcel is in Rotterdam.")
