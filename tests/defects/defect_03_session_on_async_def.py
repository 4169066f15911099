"""`@session` on an `async def` with a `@tool` in it: what of it arrives."""

from __future__ import annotations

import asyncio
from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool("search")
    async def search(query: str) -> str:
        return f"found {query}"

    @sentrial.session("agent")
    async def answer(user_id: str, message: str) -> str:
        return await search(message)

    return {"returned": asyncio.run(answer("alice", message="parcels"))}


def judge(seen: Seen) -> Verdict:
    session = seen.of_user("alice")
    has_input = "input" if session.input == "parcels" else "no input"
    return Verdict(
        session.tools == ["search"] and session.input == "parcels",
        f"{len(session.tools)} of 1 tool call, {has_input}",
    )
