"""Keeping the store within its size: the oldest sessions go first, each as a whole."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime, timezone

from sentrial._store.connection import transaction

PATIENCE_S = 0.5
"""One call may take so long: the batches behind it are waiting, and a program that wants to end."""

# Removing down to nine tenths makes it a rare event instead of one at each batch.
_KEPT = 0.9
# Other processes wait while a transaction removes, so each is short.
_SPANS_AT_ONCE = 2_000
_PAGES_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out of the store to keep it within its size."""

    sessions: int
    spans: int
    newest_ns: int

    def __add__(self, more: Removed) -> Removed:
        return Removed(self.sessions + more.sessions, self.spans + more.spans, max(self.newest_ns, more.newest_ns))

    def __str__(self) -> str:
        until = datetime.fromtimestamp(self.newest_ns / 1e9, tz=timezone.utc)
        return (
            f"removed the oldest {self.sessions} session(s), {self.spans} span(s), "
            f"started until {until:%Y-%m-%d %H:%M:%S} UTC"
        )


def prune(connection: sqlite3.Connection, max_bytes: int, patience_s: float = PATIENCE_S) -> Removed | None:
    """Remove the oldest sessions where the store holds more than ``max_bytes``; None: there was nothing to remove.

    Spans outside every session go with the sessions of their time. After ``patience_s`` seconds the rest is left to
    the next call.

    Raises:
        sqlite3.Error: what has been removed so far stays removed.
    """
    if _bytes_held(connection) <= max_bytes:
        return None
    removed = Removed(0, 0, 0)
    deadline = time.monotonic() + patience_s
    while True:
        with transaction(connection):
            step = _remove_some(connection, max_bytes * _KEPT)
        if step is not None:
            removed = removed + step
        if step is None or time.monotonic() > deadline:
            break
    _shrink_file(connection, max_bytes)
    return removed if removed.spans else None


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


def _remove_some(connection: sqlite3.Connection, target: float) -> Removed | None:
    """Remove the oldest until the store is down to ``target`` bytes or a transaction's worth is gone."""
    removed = None
    # Measured in here: another process may have made the room since.
    while _bytes_held(connection) > target and (removed is None or removed.spans < _SPANS_AT_ONCE):
        step = _remove_oldest(connection)
        if step is None:
            break
        removed = step if removed is None else removed + step
    return removed


def _remove_oldest(connection: sqlite3.Connection) -> Removed | None:
    oldest = connection.execute("SELECT row_id, start_ns FROM sessions ORDER BY start_ns, row_id LIMIT 1").fetchone()
    if oldest is None:
        return _remove_outside(connection, None)
    session_row, start_ns = oldest
    removed = Removed(1, _remove_session(connection, session_row), start_ns)
    outside = _remove_outside(connection, start_ns)
    return removed if outside is None else removed + outside


def _remove_session(connection: sqlite3.Connection, session_row: int) -> int:
    connection.execute(
        "DELETE FROM texts WHERE row_id IN (SELECT text_row FROM fragments WHERE session_row = :session)"
        " AND NOT EXISTS (SELECT 1 FROM fragments WHERE text_row = texts.row_id AND session_row <> :session)",
        {"session": session_row},
    )
    connection.execute("DELETE FROM fragments WHERE session_row = ?", (session_row,))
    spans = connection.execute("DELETE FROM spans WHERE session_row = ?", (session_row,)).rowcount
    connection.execute("DELETE FROM sessions WHERE row_id = ?", (session_row,))
    return spans


def _remove_outside(connection: sqlite3.Connection, until_ns: int | None) -> Removed | None:
    """Remove the oldest spans outside every session: those started by ``until_ns``, or the oldest of all."""
    rows = connection.execute(
        "SELECT row_id, start_ns FROM spans WHERE session_row IS NULL AND start_ns <= ? ORDER BY start_ns LIMIT ?",
        (2**63 - 1 if until_ns is None else until_ns, _SPANS_AT_ONCE),
    ).fetchall()
    connection.executemany("DELETE FROM spans WHERE row_id = ?", [(row_id,) for row_id, _ in rows])
    return Removed(0, len(rows), rows[-1][1]) if rows else None
