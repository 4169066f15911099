"""How long a piece of work keeps its caller, where it may keep it for good. Nothing but the standard library."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from defects.seen import Seen, Verdict

PATIENCE = 20.0
"""Seconds after which work counts as blocked for good."""

SOON = 8.0
"""Seconds that work may take which waits for no server, on a machine that stalls: far above what it needs, and below
the waits that it is told from."""

_AT_ONCE = 2.0
"""Seconds below which the page says no more than that."""


def seconds_of(work: Callable[[], object]) -> float | None:
    """How long ``work`` took; ``None`` if it still runs after a while."""
    took: list[float] = []

    def run() -> None:
        began = time.monotonic()
        work()
        took.append(time.monotonic() - began)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return took[0] if took else None


def judge_seconds(seen: Seen) -> Verdict:
    """A word on ``seconds`` of what the program printed."""
    seconds = seen.printed["seconds"]
    if seconds is None:
        return Verdict(False, f"still blocked after {PATIENCE:g} s")
    return Verdict(seconds < SOON, f"less than {_AT_ONCE:g} s" if seconds < _AT_ONCE else f"{seconds:.1f} s")
