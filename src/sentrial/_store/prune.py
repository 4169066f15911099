"""Keeping the store within its bounds of size and age: the oldest sessions go first, each as a whole, and none that
is running.
"""

from __future__ import annotations

import sqlite3
import time

from sentrial._store.bounds import SILENCE_S
from sentrial._store.connection import transaction
from sentrial._store.left_behind import end_left_behind
from sentrial._store.remove import NOTHING, SPANS_AT_ONCE, Removed, remove_session
from sentrial._store.summary import RUNNING

PATIENCE_S = 0.5
"""One call may take so long: the batches behind it are waiting, and a program that wants to end."""

# Removing down to nine tenths makes it a rare event instead of one at each batch.
_KEPT = 0.9
_SPANS_AT_ONCE = SPANS_AT_ONCE
_PAGES_AT_ONCE = 2_000
_FOREVER = 2**63 - 1


def prune(
    connection: sqlite3.Connection, max_bytes: int, silence_s: float = SILENCE_S, patience_s: float = PATIENCE_S
) -> Removed | None:
    """Remove the oldest sessions where the store holds more than ``max_bytes``; None: there was nothing to remove.

    Spans outside every session go with the sessions of their time. After ``patience_s`` seconds the rest is left to
    the next call.

    Raises:
        sqlite3.Error: what has been removed so far stays removed.
    """
    if _bytes_held(connection) <= max_bytes:
        return None
    removed = _remove_until(connection, silence_s, patience_s, max_bytes * _KEPT, _FOREVER)
    _shrink_file(connection, max_bytes)
    return removed


def expire(
    connection: sqlite3.Connection, max_age_s: float, silence_s: float = SILENCE_S, patience_s: float = PATIENCE_S
) -> Removed | None:
    """Remove the sessions that ended more than ``max_age_s`` seconds ago, and the spans outside every session of that
    age; None: there were none. After ``patience_s`` seconds the rest is left to the next call.

    Raises:
        sqlite3.Error: what has been removed so far stays removed.
    """
    until = time.time_ns() - int(max_age_s * 1e9)
    # Asked outside a transaction first: nearly always there is nothing to do.
    found = connection.execute(
        "SELECT 1 FROM sessions WHERE start_ns <= :until AND end_ns <= :until"
        " UNION ALL SELECT 1 FROM spans WHERE session_row IS NULL AND start_ns <= :until LIMIT 1",
        {"until": until},
    ).fetchone()
    return None if found is None else _remove_until(connection, silence_s, patience_s, 0.0, until)


def _remove_until(
    connection: sqlite3.Connection, silence_s: float, patience_s: float, target: float, ended_until: int
) -> Removed | None:
    """Remove what ended by ``ended_until``, the oldest first, until the store is down to ``target`` bytes."""
    end_left_behind(connection, silence_s)
    removed = NOTHING
    deadline = time.monotonic() + patience_s
    while True:
        with transaction(connection):
            step = _remove_some(connection, target, ended_until)
        if step is not None:
            removed = removed + step
        if step is None or time.monotonic() > deadline:
            return None if removed == NOTHING else removed


def _bytes_held(connection: sqlite3.Connection) -> int:
    pages, free, size = _measures(connection)
    return (pages - free) * size


def _shrink_file(connection: sqlite3.Connection, max_bytes: int) -> None:
    """Give back what is over the bound; the free pages below it wait for the spans to come."""
    while True:
        pages, free, size = _measures(connection)
        over = min(pages - max_bytes // size, free, _PAGES_AT_ONCE)
        if over <= 0:
            return
        connection.execute(f"PRAGMA incremental_vacuum({over})").fetchall()
        if _measures(connection)[0] >= pages:
            return


def _measures(connection: sqlite3.Connection) -> tuple[int, int, int]:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return pages, free, size


def _remove_some(connection: sqlite3.Connection, target: float, ended_until: int) -> Removed | None:
    """Remove the oldest until the store is down to ``target`` bytes or a transaction's worth is gone."""
    removed = None
    # Measured in here: another process may have made the room since.
    while _bytes_held(connection) > target and (removed is None or removed.spans < _SPANS_AT_ONCE):
        step = _remove_oldest(connection, ended_until)
        if step is None:
            break
        removed = step if removed is None else removed + step
    return removed


def _remove_oldest(connection: sqlite3.Connection, ended_until: int) -> Removed | None:
    oldest = connection.execute(
        "SELECT row_id, start_ns FROM sessions WHERE start_ns <= :until AND end_ns <= :until AND status <> :running"
        " ORDER BY start_ns, row_id LIMIT 1",
        {"until": ended_until, "running": RUNNING},
    ).fetchone()
    if oldest is None:
        return _remove_outside(connection, ended_until)
    session_row, start_ns = oldest
    removed = Removed(1, remove_session(connection, session_row), start_ns)
    outside = _remove_outside(connection, start_ns)
    return removed if outside is None else removed + outside


def _remove_outside(connection: sqlite3.Connection, until_ns: int) -> Removed | None:
    """Remove the oldest spans outside every session, of those started by ``until_ns``."""
    rows = connection.execute(
        "SELECT row_id, start_ns FROM spans WHERE session_row IS NULL AND start_ns <= ? ORDER BY start_ns LIMIT ?",
        (until_ns, _SPANS_AT_ONCE),
    ).fetchall()
    connection.executemany("DELETE FROM spans WHERE row_id = ?", [(row_id,) for row_id, _ in rows])
    return Removed(0, len(rows), rows[-1][1]) if rows else None
