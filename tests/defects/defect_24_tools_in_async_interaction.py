"""A `@tool` inside `async with await client.begin(...)`: whether it arrives."""

from __future__ import annotations

import asyncio
from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    async def search(query: str) -> str:
        return f"found {query}"

    async def main() -> str:
        client = sentrial.AsyncSentrialClient()
        async with client, await client.begin("alice", "agent", input="hello"):
            return await search("parcels")

    return {"returned": asyncio.run(main())}


def judge(seen: Seen) -> Verdict:
    calls = seen.of_user("alice").tools
    return Verdict(calls == ["search"] and seen.printed["returned"] == "found parcels", f"{len(calls)} of 1 tool call")
