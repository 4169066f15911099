"""Sessions that nobody runs any more and nobody has ended: their process was killed, or the machine went down.

They would be ``running`` for ever, and never be removed. Whoever looks finds them, and they become ``abandoned``; one
that is heard of again after all runs again.
"""

from __future__ import annotations

import sqlite3
import time
from functools import lru_cache

from sentrial import semconv
from sentrial._store import owner
from sentrial._store.bounds import SILENCE_S
from sentrial._store.connection import transaction
from sentrial._store.summary import RUNNING

REASON = "left behind: the process that ran it is gone"

_AT_ONCE = 1_000


def find_left_behind(connection: sqlite3.Connection, silence_s: float = SILENCE_S) -> list[int]:
    """The rows of sessions that say ``running`` and are not.

    Their process is gone; or it cannot be asked, and nothing was heard of them for ``silence_s`` seconds.
    """
    running = connection.execute("SELECT row_id, owner, heard_ns FROM sessions WHERE status = ?", (RUNNING,)).fetchall()
    alive = lru_cache(maxsize=None)(owner.is_alive)
    heard_since = time.time_ns() - int(silence_s * 1e9)
    found = []
    for row_id, owned_by, heard_ns in running:
        lives = alive(owned_by)
        if lives is False or (lives is None and heard_ns < heard_since):
            found.append(row_id)
    return found


def end_left_behind(connection: sqlite3.Connection, silence_s: float = SILENCE_S) -> int:
    """Have the sessions that were left behind say ``abandoned``; returns how many there were.

    Raises:
        sqlite3.Error: some may be left as they were.
    """
    rows = find_left_behind(connection, silence_s)
    for start in range(0, len(rows), _AT_ONCE):
        with transaction(connection):
            connection.executemany(
                "UPDATE sessions SET status = ?, failure_reason = ?, owner = NULL WHERE row_id = ? AND status = ?",
                [(semconv.OUTCOME_ABANDONED, REASON, row_id, RUNNING) for row_id in rows[start : start + _AT_ONCE]],
            )
    return len(rows)
