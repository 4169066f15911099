"""`track_error`, then `finish()`: how the session ended."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    interaction = sentrial.begin("alice", "agent", input="hello")
    interaction.track_error("the database is gone", error_type="OperationalError")
    interaction.finish(output="sorry")
    return {}


def judge(seen: Seen) -> Verdict:
    status = seen.of_user("alice").status
    return Verdict(status == "failed", status)
