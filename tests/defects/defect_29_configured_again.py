"""`configure(batching=True)` five times: how many threads there are more than after the first."""

from __future__ import annotations

import threading
from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    threads = []
    for number in range(5):
        sentrial.configure(batching=True)
        with sentrial.begin(f"user{number}", "agent", input="hello") as interaction:
            interaction.track_tool_call("search", {}, {"found": number})
        threads.append(threading.active_count())
    return {"more": threads[-1] - threads[0]}


def judge(seen: Seen) -> Verdict:
    more, calls = seen.printed["more"], sum(len(session.tools) for session in seen.sessions)
    # A thread that is shared by all may come with any session; those that are left behind are one each time.
    return Verdict(more <= 1 and calls == 5, f"{max(more, 0)} more; {calls} of 5 tool calls arrived")
