"""Taking sessions out of the store, each as a whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone

from sentrial._store.connection import transaction
from sentrial._store.summary import RUNNING

# Other processes wait while a transaction removes, so each is short.
SPANS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out. ``newest_ns``: when the last begun of it began."""

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


NOTHING = Removed(0, 0, 0)


def remove_session(connection: sqlite3.Connection, session_row: int) -> int:
    """Remove the session of that row with its spans, and the texts that no other session refers to, inside the
    caller's transaction; returns how many spans it had.
    """
    connection.execute(
        "DELETE FROM texts WHERE row_id IN (SELECT text_row FROM fragments WHERE session_row = :session)"
        " AND NOT EXISTS (SELECT 1 FROM fragments WHERE text_row = texts.row_id AND session_row <> :session)",
        {"session": session_row},
    )
    connection.execute("DELETE FROM fragments WHERE session_row = ?", (session_row,))
    spans = connection.execute("DELETE FROM spans WHERE session_row = ?", (session_row,)).rowcount
    connection.execute("DELETE FROM sessions WHERE row_id = ?", (session_row,))
    return spans


def remove_sessions(connection: sqlite3.Connection, session_rows: Iterable[int]) -> Removed:
    """Remove the sessions of those rows; one that is running by now stays. What is removed is overwritten in the file.

    Raises:
        sqlite3.Error: what has been removed so far stays removed.
    """
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    removed, waiting = NOTHING, list(session_rows)
    while waiting:
        with transaction(connection):
            spans = 0
            while waiting and spans < SPANS_AT_ONCE:
                found = connection.execute(
                    "SELECT row_id, start_ns FROM sessions WHERE row_id = ? AND status <> ?", (waiting.pop(), RUNNING)
                ).fetchone()
                if found is not None:
                    step = Removed(1, remove_session(connection, found[0]), found[1])
                    removed, spans = removed + step, spans + step.spans
    # The pages as they were stand in the -wal file until it is moved into the store.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return removed
