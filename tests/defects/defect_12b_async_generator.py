"""`@session` on an async generator that calls a `@tool` between its answers: what of it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from defects.defect_12a_generator import judge_stream
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    async def search(query: str) -> str:
        return f"found {query}"

    @sentrial.session("agent")
    async def answer(user_id: str, message: str) -> AsyncIterator[str]:
        yield "one "
        yield await search(message)

    async def main() -> list[str]:
        return [text async for text in answer("alice", message="parcels")]

    return {"yielded": asyncio.run(main())}


def judge(seen: Seen) -> Verdict:
    return judge_stream(seen)
