"""The writing end of the store: one open file that survives forks, and somebody's removing it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from sentrial._store.bounds import Bounds
from sentrial._store.connection import open_for_writing
from sentrial._store.prune import expire, prune
from sentrial._store.remove import Removed
from sentrial._store.span_row import SpanRow
from sentrial._store.sqlite_errors import naming_the_file
from sentrial._store.write import write_spans

_BETWEEN_LOOKS_S = 60.0

# A connection of the parent process must not be closed in a child: that would touch the parent's files.
_inherited: list[sqlite3.Connection] = []


class StoreWriter:
    """Writes to the store at ``path``, opened at the first batch, by one thread at a time.

    ``patience_s`` is how long a batch waits for other processes, in seconds.
    """

    def __init__(self, path: Path, *, bounds: Bounds, patience_s: float) -> None:
        self.path = path
        self._bounds = bounds
        self._patience_s = patience_s
        self._connection: sqlite3.Connection | None = None
        self._opened_by = 0
        self._look_at = 0.0
        self._file: tuple[int, int] | None = None

    def write(self, rows: Sequence[SpanRow]) -> None:
        """Store a batch, as a whole or not at all.

        Raises:
            StoreBusyError: another process is writing; worth another try.
            StoreUnusableError: the file is of no use before somebody has seen to it.
        """
        with naming_the_file(self.path):
            write_spans(self._open(), rows)

    def prune(self) -> Removed | None:
        """Bring the store within its size; what was removed, if anything was.

        Raises:
            StoreBusyError, StoreUnusableError: as for :meth:`write`.
        """
        with naming_the_file(self.path):
            return prune(self._open(), self._bounds.max_bytes, self._bounds.silence_s)

    def expire(self) -> Removed | None:
        """Remove what is older than the bounds allow; what was removed, if anything was. Looks once a minute only.

        Raises:
            StoreBusyError, StoreUnusableError: as for :meth:`write`.
        """
        if self._bounds.max_age_s is None or time.monotonic() < self._look_at:
            return None
        self._look_at = time.monotonic() + _BETWEEN_LOOKS_S
        with naming_the_file(self.path):
            return expire(self._open(), self._bounds.max_age_s, self._bounds.silence_s)

    def close(self) -> None:
        """Close the file. Writing opens it again."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._opened_by == os.getpid():
            connection.close()
        else:
            _inherited.append(connection)

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and (self._opened_by != os.getpid() or self._file != _identity(self.path)):
            self.close()
        if self._connection is None:
            self._connection = open_for_writing(self.path, self._patience_s)
            self._opened_by = os.getpid()
            self._file = _identity(self.path)
        return self._connection


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
