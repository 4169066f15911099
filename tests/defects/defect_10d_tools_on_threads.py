"""Tools run by a `ThreadPoolExecutor` inside `@session`: how many arrive."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from defects.seen import Seen, Verdict

_CALLS = 4


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    def search(number: int) -> int:
        return number

    @sentrial.session("agent")
    def answer(user_id: str, message: str) -> int:
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(search, range(_CALLS)))

    return {"returned": answer("alice", message="hello")}


def judge(seen: Seen) -> Verdict:
    calls = len(seen.of_user("alice").tools)
    return Verdict(calls == _CALLS and seen.printed["returned"] == 6, f"{calls} of {_CALLS} tool calls")
