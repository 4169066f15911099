"""No key at all: what becomes of a session."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

VARIABLES = {"SENTRIAL_API_KEY": ""}


def program() -> dict[str, Any]:
    import sentrial

    with sentrial.begin("alice", "agent", input="hello") as interaction:
        interaction.track_tool_call("search", {"query": "x"}, {"found": 1})
    return {}


def judge(seen: Seen) -> Verdict:
    kept = any(path.endswith("sessions.db") for path in seen.home)
    where = "it is kept in a local store" if kept else "it is lost"
    return Verdict(kept and seen.requests == 0, f"{where}; {seen.requests} requests without a key")
