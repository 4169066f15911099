"""`wrap_openai` of `AsyncAzureOpenAI` and of a class below `AsyncOpenAI`: a call of each."""

from __future__ import annotations

import asyncio
from typing import Any

from defects.model_calls import ASK, KEY, judge_calls, raised
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider


def program() -> dict[str, Any]:
    import openai

    import sentrial

    class Own(openai.AsyncOpenAI):
        pass

    async def ask(url: str) -> None:
        azure = openai.AsyncAzureOpenAI(azure_endpoint=url, api_version="2025-03-01-preview", **KEY)
        for client in (azure, Own(base_url=f"{url}/v1", **KEY)):
            async with client:
                with sentrial.begin("alice", "agent", input="hello"):
                    await sentrial.wrap_openai(client).chat.completions.create(**ASK)

    with FakeProvider() as model:
        return {"raised": raised(lambda: asyncio.run(ask(model.url)))}


def judge(seen: Seen) -> Verdict:
    return judge_calls(seen, of=2)
