"""What happens in the store while somebody looks on: sessions that begin, what happens in them, how they end."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from sentrial._store.connection import snapshot
from sentrial._store.read import SPAN_COLUMNS, Event, build_event, list_sessions, read_summaries
from sentrial._store.session_filter import SessionFilter
from sentrial._store.summary import RUNNING, SessionSummary

_AT_ONCE = 2_000


class Kind(Enum):
    """What a change is: the session runs already, it has begun, something happened in it, or it has ended."""

    OPEN = "open"
    STARTED = "started"
    EVENT = "event"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened. ``session``: as it is by now; ``event``: for :attr:`Kind.EVENT`."""

    kind: Kind
    session: SessionSummary
    event: Event | None = None


class Follower:
    """Remembers what has been told of a store: row ids are never used again, so the last ones seen say it."""

    def __init__(self) -> None:
        self._session_row = 0
        self._span_row = 0
        self._open: set[int] = set()

    def begin(self, connection: sqlite3.Connection) -> list[Change]:
        """Start here: the sessions that run already, the oldest first."""
        with snapshot(connection):
            self._session_row, self._span_row = (
                int(connection.execute(f"SELECT coalesce(max(row_id), 0) FROM {table}").fetchone()[0])
                for table in ("sessions", "spans")
            )
            running = list_sessions(connection, SessionFilter(status=RUNNING), limit=None)
        self._open = {each.row_id for each in running}
        return [Change(Kind.OPEN, each) for each in reversed(running)]

    def next(self, connection: sqlite3.Connection) -> list[Change]:
        """What happened since it was asked last, in order."""
        with snapshot(connection):
            return self._next(connection)

    def _next(self, connection: sqlite3.Connection) -> list[Change]:
        new = connection.execute("SELECT row_id FROM sessions WHERE row_id > ?", (self._session_row,)).fetchall()
        begun = [row_id for (row_id,) in new]
        spans = connection.execute(
            f"SELECT row_id, session_row, {SPAN_COLUMNS} FROM spans WHERE row_id > ? ORDER BY row_id LIMIT ?",
            (self._span_row, _AT_ONCE),
        ).fetchall()
        told = {row[1] for row in spans if row[1] is not None}
        sessions = _by_row(read_summaries(connection, list({*begun, *told, *self._open})))
        changes = [Change(Kind.STARTED, sessions[row_id]) for row_id in begun if row_id in sessions]
        for row in spans:
            session = sessions.get(row[1])
            event = build_event(row[2:], json.loads(row[-1]))
            if session is not None and f"{event.trace_id}-{event.span_id}" != session.session_id:
                changes.append(Change(Kind.EVENT, session, event))
        self._session_row = max([self._session_row, *begun])
        self._span_row = spans[-1][0] if spans else self._span_row
        if len(spans) == _AT_ONCE:
            # What ended has events that are not told yet.
            self._open.update(begun)
            return changes
        # One that had ended before may have events that come late.
        ended = [sessions[row_id] for row_id in {*begun, *self._open} if row_id in sessions]
        ended = [each for each in ended if each.status != RUNNING]
        self._open = {row_id for row_id, each in sessions.items() if each.status == RUNNING}
        return changes + [
            Change(Kind.ENDED, each) for each in sorted(ended, key=lambda each: (each.end_ns, each.row_id))
        ]


def _by_row(sessions: Iterable[SessionSummary]) -> dict[int, SessionSummary]:
    return {each.row_id: each for each in sessions}
