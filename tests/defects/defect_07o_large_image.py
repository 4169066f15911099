"""A wrapped client: a question with an image of 1 MB. How much is sent."""

from __future__ import annotations

from typing import Any

from defects.model_calls import ASK, KEY, calls
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider


def program() -> dict[str, Any]:
    import openai

    import sentrial

    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'iVBORw0K' * 125_000}"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}]
    with (
        FakeProvider() as model,
        openai.OpenAI(base_url=model.base_url, **KEY) as client,
        sentrial.begin("alice", "agent", input="hello"),
    ):
        sentrial.wrap_openai(client).chat.completions.create(**{**ASK, "messages": messages})
    return {}


def judge(seen: Seen) -> Verdict:
    found = len(calls(seen))
    return Verdict(found == 1 and seen.bytes < 100_000, f"{seen.bytes / 1e6:.2f} MB; {found} of 1 call arrived")
