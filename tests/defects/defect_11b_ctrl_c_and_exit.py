"""`KeyboardInterrupt` and `SystemExit` under `@session`: what becomes of the sessions, and of the tool calls after."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    def long_after() -> int:
        return 1

    @sentrial.session("agent")
    def answer(user_id: str, message: BaseException) -> None:
        raise message

    left = []
    for user, error in (("alice", KeyboardInterrupt()), ("bob", SystemExit(3))):
        try:
            answer(user, message=error)
        except (KeyboardInterrupt, SystemExit) as caught:
            left.append(type(caught).__name__)
        long_after()
    return {"left": left}


def judge(seen: Seen) -> Verdict:
    open_ones = [session.user for session in seen.sessions if session.status == "open"]
    late = sum(len(session.tools) for session in seen.sessions)
    right = seen.printed["left"] == ["KeyboardInterrupt", "SystemExit"] and len(seen.sessions) == 2
    return Verdict(
        right and not open_ones and not late,
        f"{len(open_ones)} of {len(seen.sessions)} stay open; {late} of 2 later tool calls are booked on them",
    )
