"""An agent that uses acme_llm, and knows nothing of how it is recorded.

pip install sentrial-otel[cli] ./examples/provider_from_outside
python examples/provider_from_outside/agent.py
sentrial sessions show last
"""

from __future__ import annotations

import asyncio

from acme_llm import Acme, AsyncAcme

import sentrial


async def ask_later(question: str) -> str:
    """An answer in pieces."""
    pieces = await AsyncAcme().ask(question, stream=True)
    return "".join([piece.get("says", "") async for piece in pieces]).strip()


with sentrial.begin("ann", "parrot", input="hello there") as session:
    answers = [
        Acme().ask("hello there")["says"],
        "".join(piece.get("says", "") for piece in Acme().ask("good bye", stream=True)).strip(),
        asyncio.run(ask_later("until tomorrow")),
    ]
    session.set_output(answers)
print(*answers, sep="\n")
