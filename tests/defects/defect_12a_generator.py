"""`@session` on a generator that calls a `@tool` between its answers: what of it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    def search(query: str) -> str:
        return f"found {query}"

    @sentrial.session("agent")
    def answer(user_id: str, message: str) -> Iterator[str]:
        yield "one "
        yield search(message)

    return {"yielded": list(answer("alice", message="parcels"))}


def judge(seen: Seen) -> Verdict:
    return judge_stream(seen)


def judge_stream(seen: Seen) -> Verdict:
    """A word on a session whose body yielded two texts, and called a tool in between."""
    session = seen.of_user("alice")
    output = session.output or ""
    named = "generator" in output
    right = seen.printed["yielded"] == ["one ", "found parcels"] and session.status == "completed"
    return Verdict(
        right and session.tools == ["search"] and not named,
        f"{len(session.tools)} of 1 tool call, output {'`<generator object ...>`' if named else repr(output)}",
    )
