"""NaN and Infinity among arguments and results: which tool calls arrive."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    with sentrial.begin("alice", "agent", input="hello") as interaction:
        interaction.track_tool_call("not_a_number", {"value": float("nan")}, {"found": 1})
        interaction.track_tool_call("infinite", {"value": 1}, {"found": float("inf")})
        interaction.track_tool_call("finite", {"value": 1}, {"found": 1})
    return {}


def judge(seen: Seen) -> Verdict:
    arrived = seen.of_user("alice").tools
    return Verdict(arrived == ["not_a_number", "infinite", "finite"], f"{len(arrived)} of 3")
