"""The server needs 1.5 s for each answer: how long a session with eight events takes."""

from __future__ import annotations

from typing import Any

from defects.blocked import judge_seconds, seconds_of
from defects.seen import Seen, Verdict


def scene(receiver: Any) -> None:
    for _ in range(100):
        receiver.hang(1.5)


def program() -> dict[str, Any]:
    import sentrial

    def work() -> None:
        interaction = sentrial.begin("alice", "agent", input="hello")
        for number in range(8):
            interaction.track_tool_call("search", {"query": number}, {"found": number})
        interaction.finish(output="done")

    return {"seconds": seconds_of(work)}


def judge(seen: Seen) -> Verdict:
    in_time, calls = judge_seconds(seen), len(seen.of_user("alice").tools)
    return Verdict(in_time.ok and calls == 8, f"{in_time.words}; {calls} of 8 tool calls arrived")
