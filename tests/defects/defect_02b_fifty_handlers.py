"""Fifty asyncio handlers at the same time, one user each: whose input and records each session holds."""

from __future__ import annotations

import asyncio
from typing import Any

from defects.seen import Seen, Verdict

HANDLERS = 50


def program() -> dict[str, Any]:
    import sentrial

    async def handle(user: str) -> None:
        with sentrial.begin(user, "agent", input=f"question of {user}") as interaction:
            await asyncio.sleep(0)
            interaction.track_tool_call(f"look_up_{user}", {"whose": user}, {"found": f"record of {user}"})
            await asyncio.sleep(0)
            interaction.set_output(f"answer for {user}")

    async def main() -> None:
        await asyncio.gather(*(handle(f"user{number:02}") for number in range(HANDLERS)))

    asyncio.run(main())
    return {}


def judge(seen: Seen) -> Verdict:
    users = [f"user{number:02}" for number in range(HANDLERS)]
    wrong = [session for session in seen.sessions if session.input != f"question of {session.user}"]
    leaked = [
        session
        for session in seen.sessions
        if any(f"record of {user}" in session.text for user in users if user != session.user)
    ]
    if not wrong and not leaked:
        return Verdict(
            len(seen.sessions) == HANDLERS, f"{len(seen.sessions)} of {HANDLERS} sessions hold their own user's"
        )
    words = f"{len(wrong)} of {len(seen.sessions)} sessions hold another user's input"
    return Verdict(False, f"{words}, {len(leaked)} another user's records")
