"""A task under `@session` is cancelled: what becomes of its session."""

from __future__ import annotations

import asyncio
from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    async def main() -> bool:
        started = asyncio.Event()

        @sentrial.session("agent")
        async def answer(user_id: str, message: str) -> str:
            started.set()
            await asyncio.Event().wait()
            return "never"

        task = asyncio.create_task(answer("alice", message="hello"))
        await started.wait()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False

    return {"cancelled": asyncio.run(main())}


def judge(seen: Seen) -> Verdict:
    status = seen.of_user("alice").status
    return Verdict(seen.printed["cancelled"] and status == "cancelled", f"it is {status}")
