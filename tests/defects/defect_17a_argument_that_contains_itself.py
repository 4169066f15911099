"""A list that contains itself as argument of a `@tool`, outside and inside a session: whether the tool runs."""

from __future__ import annotations

from typing import Any

from defects.attempts import raised_by, told
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    ran = []
    endless: list[Any] = [1]
    endless.append(endless)

    @sentrial.tool
    def measure(values: list[Any]) -> int:
        ran.append(len(values))
        return len(values)

    def inside() -> None:
        with sentrial.begin("alice", "agent", input="hello"):
            measure(endless)

    raised = raised_by({"outside a session": lambda: measure(endless), "inside": inside})
    return {"raised": raised, "ran": len(ran)}


def judge(seen: Seen) -> Verdict:
    raised, ran = seen.printed["raised"], seen.printed["ran"]
    calls = sum(len(session.tools) for session in seen.sessions)
    return Verdict(
        not raised and ran == 2 and calls == 1, f"it ran {ran} of 2 times; {told(raised) or 'nothing is raised'}"
    )
