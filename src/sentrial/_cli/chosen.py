"""Which sessions a command is about: by id, or by what they have in common."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sentrial._cli import figures
from sentrial._cli.safe_text import safe_line
from sentrial._store import read
from sentrial._store.search import search_sessions
from sentrial._store.session_filter import EVERY, SessionFilter
from sentrial._store.summary import SessionSummary

LAST = "last"
_CANDIDATES = 10


class NotFoundError(Exception):
    """No session, or more than one, has the id that was asked for."""


class NothingChosenError(Exception):
    """Nothing says which sessions are meant."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Sessions that match a filter and hold a text."""

    filter: SessionFilter = EVERY
    search: str | None = None

    @property
    def is_every(self) -> bool:
        """Whether all sessions match."""
        return self.filter.is_empty and not self.search

    def find(self, connection: sqlite3.Connection, store: Path, limit: int | None) -> list[SessionSummary]:
        """The newest ``limit`` of them, newest first; None: all."""
        if self.search:
            return search_sessions(connection, store, self.search, self.filter, limit=limit)
        return read.list_sessions(connection, self.filter, limit=limit)


def choose(
    connection: sqlite3.Connection, store: Path, ids: Sequence[str], wanted: Wanted, *, every: bool
) -> list[SessionSummary]:
    """The sessions that ``ids`` name, or else those that match; each once, the oldest first.

    Raises:
        NotFoundError: an id names no session or several.
        NothingChosenError: no id, no condition, and not ``every``.
    """
    if not ids:
        if wanted.is_every and not every:
            raise NothingChosenError("say which sessions: their ids, a filter such as --last 7d, or --all")
        return list(reversed(wanted.find(connection, store, None)))
    if not wanted.is_every or every:
        raise NothingChosenError("give ids or filters, not both")
    found = {each.row_id: each for each in (meant(connection, name, store) for name in ids)}
    return sorted(found.values(), key=lambda each: (each.start_ns, each.row_id))


def meant(connection: sqlite3.Connection, session_id: str, path: Path) -> SessionSummary:
    """The one session whose id starts with ``session_id``, or the newest for ``last``.

    Raises:
        NotFoundError: no session or several are meant.
    """
    if session_id == LAST:
        newest = read.list_sessions(connection, limit=1)
        if not newest:
            raise NotFoundError(no_sessions_yet(connection, path))
        return newest[0]
    found = read.find_sessions(connection, session_id.lower(), _CANDIDATES + 1)
    found = found or read.find_sessions(connection, session_id, _CANDIDATES + 1)
    if not found:
        raise NotFoundError(
            f"no session's id starts with {safe_line(session_id)!r} in {safe_line(path)}\n"
            "List them with: sentrial sessions list"
        )
    if len(found) > 1:
        listed = "\n".join(f"  {_candidate(each)}" for each in found[:_CANDIDATES])
        more = "\n  and more" if len(found) > _CANDIDATES else ""
        raise NotFoundError(
            f"the ids of several sessions start with {safe_line(session_id)!r}; give more of the one you mean:\n"
            f"{listed}{more}"
        )
    return found[0]


def no_sessions_yet(connection: sqlite3.Connection, path: Path) -> str:
    """What to say of a store without sessions: how a program comes by them."""
    outside = read.has_spans_outside_sessions(connection)
    return (
        f"no sessions yet in {safe_line(path)}{', but calls that belong to none' if outside else ''}\n"
        "A call belongs to the session around it: put sentrial.begin(...) or @sentrial.session around your agent,\n"
        "or set SENTRIAL_AUTO_SESSION=call, and each model call outside of sessions is one of its own."
    )


def _candidate(summary: SessionSummary) -> str:
    words = (summary.session_id, figures.moment(summary.start_ns), summary.agent or "-", summary.status)
    return safe_line("  ".join(words))
