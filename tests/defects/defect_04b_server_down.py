"""Nothing listens at the server's address: how long four sessions take."""

from __future__ import annotations

from typing import Any

from defects.blocked import judge_seconds, seconds_of
from defects.seen import Seen, Verdict

# Nobody is given that port: one that is closed may be another program's a moment later. The timeout: so that the end
# of the program, which waits for the server up to a bound, is soon there.
VARIABLES = {"SENTRIAL_API_URL": "http://127.0.0.1:1", "SENTRIAL_FLUSH_TIMEOUT": "1"}


def program() -> dict[str, Any]:
    import sentrial

    def work() -> None:
        for user in ("alice", "bob", "carol", "dave"):
            interaction = sentrial.begin(user, "agent", input="hello")
            interaction.track_tool_call("search", {"query": "x"}, {"found": 1})
            interaction.finish(output="done")

    return {"seconds": seconds_of(work)}


def judge(seen: Seen) -> Verdict:
    return judge_seconds(seen)
