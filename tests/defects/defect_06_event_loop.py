"""`async with SessionContext` at a server that never answers: whether the event loop goes on."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from defects.blocked import PATIENCE
from defects.seen import Seen, Verdict

VARIABLES = {"SENTRIAL_FLUSH_TIMEOUT": "1"}


def scene(receiver: Any) -> None:
    receiver.silence()


def program() -> dict[str, Any]:
    import sentrial

    other_ran = threading.Event()

    async def other(entered: asyncio.Event) -> None:
        await entered.wait()
        other_ran.set()

    async def main() -> None:
        entered = asyncio.Event()
        task = asyncio.create_task(other(entered))
        async with sentrial.SessionContext("alice", "agent", "hello"):
            entered.set()
            await task

    threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
    return {"went_on": other_ran.wait(PATIENCE)}


def judge(seen: Seen) -> Verdict:
    went_on = seen.printed["went_on"]
    return Verdict(went_on, "other tasks run" if went_on else f"no other task ran within {PATIENCE:g} s")
