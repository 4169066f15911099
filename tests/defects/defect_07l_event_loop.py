"""A wrapped `AsyncOpenAI`, with a server that never answers: whether the event loop goes on."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from defects.blocked import PATIENCE
from defects.model_calls import ASK, KEY
from defects.seen import Seen, Verdict
from fake_provider import FakeProvider

VARIABLES = {"SENTRIAL_FLUSH_TIMEOUT": "1"}


def scene(receiver: Any) -> None:
    receiver.silence()


def program() -> dict[str, Any]:
    import openai

    import sentrial

    went_on = threading.Event()

    async def main(url: str) -> None:
        async with openai.AsyncOpenAI(base_url=url, **KEY) as client:
            # What `begin()` itself waits for has a row of its own.
            sentrial.set_session_context("sess_1", sentrial.SentrialClient(api_key="k"))
            await sentrial.wrap_openai(client).chat.completions.create(**ASK)
            went_on.set()

    with FakeProvider() as model:
        threading.Thread(target=lambda: asyncio.run(main(model.base_url)), daemon=True).start()
        return {"went_on": went_on.wait(PATIENCE)}


def judge(seen: Seen) -> Verdict:
    went_on = seen.printed["went_on"]
    return Verdict(went_on, "it goes on" if went_on else f"it stood still for {PATIENCE:g} s")
