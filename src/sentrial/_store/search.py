"""Sessions in which a text occurs: in what was said, in names, arguments, results and errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sentrial._store.connection import snapshot
from sentrial._store.needle import Needle
from sentrial._store.read import read_summaries
from sentrial._store.search_index import SearchIndex, open_index
from sentrial._store.session_filter import SessionFilter
from sentrial._store.summary import RUNNING, SessionSummary

INDEXING_S = 0.5
"""So long a search may take to bring the index up to date. What does not get done, the next one goes on with."""

_MOST_CANDIDATES = 5_000
_SESSIONS_AT_ONCE = 200
_ROWS_AT_ONCE = 500
_REMEMBERED = 200_000


def search_sessions(
    connection: sqlite3.Connection, store: Path, text: str, wanted: SessionFilter, *, limit: int | None = 50
) -> list[SessionSummary]:
    """The newest ``limit`` sessions that match ``wanted`` and hold ``text`` (``None``: all of them), newest first.

    ``connection`` reads the store at ``store``. Upper and lower case are the same.
    """
    needle = Needle(text)
    rows = _by_index(connection, store, needle, wanted)
    with snapshot(connection):
        if rows is None:
            rows = _by_reading(connection, needle, wanted, limit)
        return read_summaries(connection, rows)[:limit]


def build_index(connection: sqlite3.Connection, store: Path, seconds: float) -> int | None:
    """Take in what is new in the store, for ``seconds`` at most; how much is left, None: there can be no index."""
    index = open_index(connection, store)
    if index is None:
        return None
    try:
        return 0 if index.catch_up(seconds) else index.behind()
    finally:
        index.close()


def _by_index(connection: sqlite3.Connection, store: Path, needle: Needle, wanted: SessionFilter) -> list[int] | None:
    """The rows of the sessions; None where the index cannot say it, or would name too many texts to look at."""
    trigrams = needle.trigrams
    index = open_index(connection, store) if trigrams else None
    if index is None:
        return None
    try:
        index.catch_up(INDEXING_S)
        with snapshot(connection):
            return _verified(connection, index, needle, trigrams, wanted)
    except sqlite3.Error:
        # Somebody else is at it, or it is damaged: everything is read instead.
        return None
    finally:
        index.close()


def _verified(
    connection: sqlite3.Connection,
    index: SearchIndex,
    needle: Needle,
    trigrams: list[list[str]],
    wanted: SessionFilter,
) -> list[int] | None:
    candidates = index.candidates(trigrams, _MOST_CANDIDATES)
    if candidates is None:
        return None
    texts, spans = candidates
    holding = [row_id for row_id, body in _bodies(connection, texts) if needle.is_in(body)]
    found = {row for (row,) in _in_rows(connection, "SELECT session_row FROM fragments WHERE text_row IN", holding)}
    for row, name, skeleton in _in_rows(
        connection, "SELECT session_row, name, skeleton FROM spans WHERE row_id IN", spans
    ):
        if row is not None and row not in found and needle.is_in_span(name, skeleton):
            found.add(row)
    found.update(_just_begun(connection, needle))
    return [row for row in _matching(connection, wanted) if row in found]


def _by_reading(connection: sqlite3.Connection, needle: Needle, wanted: SessionFilter, limit: int | None) -> list[int]:
    """The rows of the sessions, the newest first: read until there are as many as are wanted."""
    begun = set(_just_begun(connection, needle))
    looked_at: dict[int, bool] = {}
    found: list[int] = []
    rows = _matching(connection, wanted)
    for start in range(0, len(rows), _SESSIONS_AT_ONCE):
        some = rows[start : start + _SESSIONS_AT_ONCE]
        holding = _holding_spans(connection, needle, some) | _holding_texts(connection, needle, some, looked_at) | begun
        found.extend(row for row in some if row in holding)
        if limit is not None and len(found) >= limit:
            break
        if len(looked_at) > _REMEMBERED:
            looked_at.clear()
    return found


def _holding_spans(connection: sqlite3.Connection, needle: Needle, sessions: Sequence[int]) -> set[int]:
    found: set[int] = set()
    spans = _in_rows(connection, "SELECT session_row, name, skeleton FROM spans WHERE session_row IN", sessions)
    for row, name, skeleton in spans:
        if row not in found and needle.is_in_span(name, skeleton):
            found.add(row)
    return found


def _holding_texts(
    connection: sqlite3.Connection, needle: Needle, sessions: Sequence[int], looked_at: dict[int, bool]
) -> set[int]:
    """``looked_at``: whether a text that several sessions share holds it, so that it is read once."""
    refer = list(_in_rows(connection, "SELECT session_row, text_row FROM fragments WHERE session_row IN", sessions))
    unknown = list(dict.fromkeys(text for _, text in refer if text not in looked_at))
    for row_id, body in _bodies(connection, unknown):
        looked_at[row_id] = needle.is_in(body)
    return {row for row, text in refer if looked_at.get(text)}


def _just_begun(connection: sqlite3.Connection, needle: Needle) -> Iterator[int]:
    """Sessions whose own span has not come yet, and that say it in what is known of them."""
    for row_id, *said in connection.execute(
        "SELECT row_id, name, agent, user, conversation FROM sessions WHERE status = ?", (RUNNING,)
    ):
        if any(needle.is_in(each) for each in said if each):
            yield row_id


def _matching(connection: sqlite3.Connection, wanted: SessionFilter) -> list[int]:
    where, values = wanted.where()
    rows = connection.execute(f"SELECT row_id FROM sessions WHERE {where} ORDER BY start_ns DESC, row_id DESC", values)
    return [row_id for (row_id,) in rows.fetchall()]


def _bodies(connection: sqlite3.Connection, text_rows: Sequence[int]) -> Iterator[tuple[int, str]]:
    return _in_rows(connection, "SELECT row_id, body FROM texts WHERE row_id IN", text_rows)


def _in_rows(connection: sqlite3.Connection, query: str, rows: Sequence[int]) -> Iterator[Any]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        yield from connection.execute(f"{query} ({', '.join('?' * len(some))})", some)
