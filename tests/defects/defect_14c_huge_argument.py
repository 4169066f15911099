"""`@tool` with an argument of 20 MB: how much is sent."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    def measure(text: str) -> int:
        return len(text)

    with sentrial.begin("alice", "agent", input="hello"):
        return {"returned": measure("word " * 4_000_000)}


def judge(seen: Seen) -> Verdict:
    calls = len(seen.of_user("alice").tools)
    right = calls == 1 and seen.printed["returned"] == 20_000_000
    return Verdict(right and seen.bytes < 10_000_000, f"{seen.bytes / 1e6:.1f} MB; {calls} of 1 tool call arrived")
