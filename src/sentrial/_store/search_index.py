"""An index of the texts in the store, in a file of its own beside it, made and kept up by those who search.

It names candidates; whether a text holds what is looked for, the text itself says. So it may be behind, or be removed
at any time, and nothing is found or missed for it. Where SQLite has no full-text search, or the folder is not
writable, there is none, and everything is read.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentrial._store.connection import make_private_file
from sentrial._store.needle import texts_of

_AT_ONCE = 500
_VERSION = "1"

# Row ids of the index: even ones are texts, odd ones spans.
_TABLES = (
    "CREATE VIRTUAL TABLE found.words USING fts5 (body, content = '', detail = none, tokenize = 'trigram')",
    "CREATE TABLE found.progress (name TEXT PRIMARY KEY, value NOT NULL)",
)


def index_path(store: Path) -> Path:
    """Where the index of the store at ``store`` is."""
    return store.with_name(f"{store.name}.search")


class SearchIndex:
    """The index of the store that ``connection`` reads, attached to it; :func:`open_index` opens one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def catch_up(self, seconds: float) -> bool:
        """Take in what is new, for ``seconds`` at most; whether all is in."""
        deadline = time.monotonic() + seconds
        while True:
            with _writing(self._connection):
                done = not any([self._take_texts(), self._take_spans()])
            if done or time.monotonic() > deadline:
                return done

    def behind(self) -> int:
        """How many texts and spans are not in yet, near enough."""
        newest = [self._newest("texts"), self._newest("spans")]
        return max(newest[0] - self._reached("texts"), 0) + max(newest[1] - self._reached("spans"), 0)

    def candidates(self, trigrams: list[list[str]], limit: int) -> tuple[list[int], list[int]] | None:
        """The rows of texts and of spans that hold all of one of the groups, and those that are not in yet; None: they
        are more than ``limit``.
        """
        if self.behind() > limit:
            return None
        words = " OR ".join(f"({' '.join(map(_quoted, group))})" for group in trigrams)
        found = self._connection.execute(
            "SELECT rowid FROM found.words WHERE words MATCH ? LIMIT ?", (words, limit + 1)
        ).fetchall()
        if len(found) > limit:
            return None
        texts = [row // 2 for (row,) in found if row % 2 == 0]
        spans = [row // 2 for (row,) in found if row % 2]
        return texts + self._not_in("texts"), spans + self._not_in("spans")

    def _not_in(self, table: str) -> list[int]:
        rows = self._connection.execute(f"SELECT row_id FROM main.{table} WHERE row_id > ?", (self._reached(table),))
        return [row_id for (row_id,) in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.execute("DETACH found")

    def _take_texts(self) -> int:
        rows = self._connection.execute(
            "SELECT row_id, body FROM main.texts WHERE row_id > ? ORDER BY row_id LIMIT ?",
            (self._reached("texts"), _AT_ONCE),
        ).fetchall()
        self._add("texts", [(row_id, row_id * 2, body) for row_id, body in rows])
        return len(rows)

    def _take_spans(self) -> int:
        rows = self._connection.execute(
            "SELECT row_id, name, skeleton FROM main.spans WHERE row_id > ? ORDER BY row_id LIMIT ?",
            (self._reached("spans"), _AT_ONCE),
        ).fetchall()
        self._add(
            "spans",
            [
                (row_id, row_id * 2 + 1, "\n".join((name, *texts_of(json.loads(skeleton)))))
                for row_id, name, skeleton in rows
            ],
        )
        return len(rows)

    def _add(self, table: str, rows: list[tuple[int, int, str]]) -> None:
        if rows:
            self._connection.executemany(
                "INSERT INTO found.words (rowid, body) VALUES (?, ?)", [(own, body.lower()) for _, own, body in rows]
            )
            self._connection.execute("INSERT OR REPLACE INTO found.progress VALUES (?, ?)", (table, rows[-1][0]))

    def _reached(self, table: str) -> int:
        row = self._connection.execute("SELECT value FROM found.progress WHERE name = ?", (table,)).fetchone()
        return 0 if row is None else int(row[0])

    def _newest(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT coalesce(max(row_id), 0) FROM main.{table}").fetchone()[0])


def open_index(connection: sqlite3.Connection, store: Path) -> SearchIndex | None:
    """The index of the store at ``store``, which ``connection`` reads; None where there can be none."""
    path = index_path(store)
    try:
        make_private_file(path)
        connection.execute("ATTACH ? AS found", (f"{path.absolute().as_uri()}?mode=rw",))
    except (OSError, sqlite3.Error):
        return None
    try:
        # It can be made again, so that nothing needs to be safe on disk.
        connection.execute("PRAGMA found.synchronous = OFF").fetchall()
        with _writing(connection):
            if _state(connection) != _wanted(connection) or _is_mostly_gone(connection):
                _make(connection)
        return SearchIndex(connection)
    except sqlite3.Error:
        connection.execute("DETACH found")
        return None


def remove_index(store: Path) -> None:
    """Remove the index of the store at ``store``: it holds traces of what was removed there."""
    for name in (index_path(store), index_path(store).with_name(f"{index_path(store).name}-journal")):
        name.unlink(missing_ok=True)


def _make(connection: sqlite3.Connection) -> None:
    for table in ("words", "progress"):
        connection.execute(f"DROP TABLE IF EXISTS found.{table}")
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO found.progress VALUES ('of', ?)", (_wanted(connection),))


def _wanted(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT value FROM main.properties WHERE name = 'id'").fetchone()
    return f"{_VERSION} {row[0]}"


def _state(connection: sqlite3.Connection) -> str | None:
    known = connection.execute("SELECT 1 FROM found.sqlite_master WHERE name = 'progress'").fetchone()
    row = connection.execute("SELECT value FROM found.progress WHERE name = 'of'").fetchone() if known else None
    return None if row is None else str(row[0])


def _is_mostly_gone(connection: sqlite3.Connection) -> bool:
    """Whether more than half of what was taken in is no longer in the store."""
    row = connection.execute("SELECT value FROM found.progress WHERE name = 'spans'").fetchone()
    oldest, newest = connection.execute("SELECT min(row_id), max(row_id) FROM main.spans").fetchone()
    return row is not None and (oldest is None or oldest - 1 > (newest - oldest + 1))


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction over store and index: what is taken in and how far it reaches are never apart."""
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _quoted(group: str) -> str:
    return '"' + group.replace('"', '""') + '"'
