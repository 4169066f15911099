"""The server stores what it gets, but says 503 to the first three requests: how many sessions it has."""

from __future__ import annotations

import itertools
from typing import Any

from defects.seen import Seen, Verdict

# All of the session goes at its end, in one request each time, however slow the program is.
VARIABLES = {"SENTRIAL_FLUSH_INTERVAL": "30"}


def scene(receiver: Any) -> None:
    store, count = receiver.answer, itertools.count(1)

    def answer(request: Any) -> Any:
        stored = store(request)
        return (503, {}, b"") if next(count) <= 3 else stored

    receiver.answer = answer


def program() -> dict[str, Any]:
    import sentrial

    with sentrial.begin("alice", "agent", input="hello") as interaction:
        interaction.track_tool_call("search", {"query": "x"}, {"found": 1})
    return {}


def judge(seen: Seen) -> Verdict:
    complete = [session for session in seen.sessions if session.status == "completed" and session.tools == ["search"]]
    return Verdict(
        len(seen.sessions) == len(complete) == 1,
        f"{len(seen.sessions)} of 1 session, after {seen.requests} requests",
    )
