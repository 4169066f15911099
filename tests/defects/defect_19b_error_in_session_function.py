"""`track_error` inside a function under `@session`, which then returns: how the session ended."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.session("agent")
    def answer(user_id: str, message: str) -> str:
        interaction = sentrial.get_current_interaction()
        interaction.track_error("the database is gone", error_type="OperationalError")
        return "sorry"

    return {"returned": answer("alice", message="hello")}


def judge(seen: Seen) -> Verdict:
    status = seen.of_user("alice").status
    return Verdict(status == "failed" and seen.printed["returned"] == "sorry", status)
