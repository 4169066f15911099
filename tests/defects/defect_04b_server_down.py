"""Nothing listens at the server's address: how long two sessions take."""

from __future__ import annotations

from typing import Any

from defects.blocked import judge_seconds, seconds_of
from defects.seen import Seen, Verdict

# So that the end of the program, which waits for the server up to a bound, is soon there.
VARIABLES = {"SENTRIAL_FLUSH_TIMEOUT": "1"}


def scene(receiver: Any) -> None:
    receiver.close()


def program() -> dict[str, Any]:
    import sentrial

    def work() -> None:
        for user in ("alice", "bob"):
            interaction = sentrial.begin(user, "agent", input="hello")
            interaction.track_tool_call("search", {"query": "x"}, {"found": 1})
            interaction.finish(output="done")

    return {"seconds": seconds_of(work)}


def judge(seen: Seen) -> Verdict:
    return judge_seconds(seen)
