"""The program ends without `finish`: what becomes of the session."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    sentrial.begin("alice", "agent", input="hello").track_tool_call("search", {"query": "x"}, {"found": 1})
    return {}


def judge(seen: Seen) -> Verdict:
    session = seen.of_user("alice")
    return Verdict(
        session.status == "abandoned", f"it stays {session.status}" if session.status == "open" else session.status
    )
