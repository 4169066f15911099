"""`finish()` on another thread: whether the session has its input, and where a later tool call is booked."""

from __future__ import annotations

import threading
from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    def long_after() -> int:
        return 1

    interaction = sentrial.begin("alice", "agent", input="hello")
    thread = threading.Thread(target=lambda: interaction.finish(output="done"))
    thread.start()
    thread.join()
    long_after()
    return {}


def judge(seen: Seen) -> Verdict:
    session = seen.of_user("alice")
    has_input = "with its input" if session.input == "hello" else "without its input"
    late = "on the finished session" if session.tools else "nowhere"
    return Verdict(session.input == "hello" and not session.tools, f"{has_input}; a later tool call is booked {late}")
