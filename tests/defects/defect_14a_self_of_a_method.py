"""`@tool` on a method of an object whose `str()` shows a password: whether it leaves."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    class Database:
        def __str__(self) -> str:
            return "Database(admin, hunter2hunter2)"

        @sentrial.tool
        def look_up(self, number: int) -> int:
            return number + 1

    with sentrial.begin("alice", "agent", input="hello"):
        return {"returned": Database().look_up(6)}


def judge(seen: Seen) -> Verdict:
    (event,) = seen.of_user("alice").events
    leaked = "hunter2hunter2" in seen.sent
    return Verdict(
        not leaked and event.input == {"number": 6} and seen.printed["returned"] == 7,
        f"{'it leaves' if leaked else 'it does not'}; recorded: {', '.join(event.input)}",
    )
