"""The async client with `fail_silently=True`, at a server that refuses (401): what it raises."""

from __future__ import annotations

import asyncio
from typing import Any

from defects.attempts import raised_by, told
from defects.seen import Seen, Verdict


def scene(receiver: Any) -> None:
    receiver.respond(401, {"Content-Type": "application/json"}, b'{"error": "unauthorized"}', times=1000)


def program() -> dict[str, Any]:
    import sentrial

    async def use(what: str) -> None:
        async with sentrial.AsyncSentrialClient() as client:
            if what == "create_session":
                await client.create_session("name", "agent", "alice")
            elif what == "track_tool_call":
                await client.track_tool_call("sess_1", "search", {"query": "x"}, {"found": 1})
            elif what == "complete_session":
                await client.complete_session("sess_1")
            else:
                async with await client.begin("alice", "agent", input="hello"):
                    pass

    calls = ("create_session", "track_tool_call", "complete_session", "begin")
    return {"raised": raised_by({name: lambda name=name: asyncio.run(use(name)) for name in calls})}


def judge(seen: Seen) -> Verdict:
    raised = seen.printed["raised"]
    return Verdict(not raised, told(raised) or "nothing is raised")
