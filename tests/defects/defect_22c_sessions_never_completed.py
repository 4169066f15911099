"""12,000 sessions with an event each, never completed: memory blocks that each of the last 1,000 leaves behind."""

from __future__ import annotations

import gc
import sys
from typing import Any

from defects.seen import Seen, Verdict

_SESSIONS, _LAST = 12_000, 1_000


def program() -> dict[str, Any]:
    import sentrial

    client = sentrial.SentrialClient()

    def track(count: int) -> None:
        for _ in range(count):
            client.track_decision(client.create_session("name", "agent", "alice"), "because")

    def blocks() -> int:
        client.flush()
        gc.collect()
        return sys.getallocatedblocks()

    track(_SESSIONS - _LAST)
    before = blocks()
    track(_LAST)
    return {"kept": (blocks() - before) / _LAST}


def judge(seen: Seen) -> Verdict:
    kept, arrived = seen.printed["kept"], sum(len(session.events) for session in seen.sessions)
    return Verdict(
        kept < 1 and arrived == _SESSIONS, f"{max(kept, 0):.0f} blocks; {arrived} of {_SESSIONS} events arrived"
    )
