"""`@tool` on a generator: what is recorded as its result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    def read_lines(name: str) -> Iterator[str]:
        yield "first line"
        yield "second line"

    with sentrial.begin("alice", "agent", input="hello"):
        return {"yielded": list(read_lines("notes"))}


def judge(seen: Seen) -> Verdict:
    (event,) = seen.of_user("alice").events
    named = "generator object" in event.text
    there = "first line" in event.text and "second line" in event.text
    return Verdict(
        not named and there and seen.printed["yielded"] == ["first line", "second line"],
        "`<generator object ...>`" if named else str(event.output),
    )
