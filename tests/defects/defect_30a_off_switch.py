"""`SENTRIAL_ENABLED=false` in the environment, as for tests: how many requests are made."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

VARIABLES = {"SENTRIAL_ENABLED": "false"}


def program() -> dict[str, Any]:
    import sentrial

    with sentrial.begin("alice", "agent", input="hello") as interaction:
        interaction.track_tool_call("search", {"query": "x"}, {"found": 1})
    return {}


def judge(seen: Seen) -> Verdict:
    return Verdict(seen.requests == 0, f"{seen.requests} requests")
