"""`copy.deepcopy` of a `SentrialClient`: what is raised, and what the copy sends."""

from __future__ import annotations

import copy
from typing import Any

from defects.attempts import raised_by, told
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    client = sentrial.SentrialClient()

    def work() -> None:
        twin = copy.deepcopy(client)
        twin.complete_session(twin.create_session("name", "agent", "alice"))

    return {"raised": raised_by({"copying": work})}


def judge(seen: Seen) -> Verdict:
    return judge_copy(seen)


def judge_copy(seen: Seen) -> Verdict:
    """A word on a client of which a copy was made, and used for one session."""
    raised = seen.printed["raised"]
    complete = [session for session in seen.sessions if session.status == "completed"]
    return Verdict(
        not raised and len(complete) == 1, f"{told(raised) or 'it works'}; {len(complete)} of 1 session arrived"
    )
