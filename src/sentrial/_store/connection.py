"""Opening the store's file: for the one writer thread of a process, or for reading only."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentrial._store.failures import StoreUnusableError
from sentrial._store.schema import check_version, create_tables
from sentrial._store.sqlite_errors import naming_the_file

_WAL_BYTES_KEPT = 16 * 1024 * 1024


def open_for_writing(path: Path, patience_s: float) -> sqlite3.Connection:
    """Open the store at ``path``, made where there is none: folder 0700, file 0600, since its content is private.

    Raises:
        StoreBusyError: other processes held it for ``patience_s`` seconds.
        StoreUnusableError: no store, or not to be written.
    """
    with naming_the_file(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its -wal and -shm files the mode of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        # Used by one thread at a time, but closed by whichever thread shuts the pipeline down.
        connection = sqlite3.connect(str(path), timeout=patience_s, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, path, patience_s)
        except BaseException:
            connection.close()
            raise
        return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the store at ``path`` without changing it.

    Raises:
        StoreUnusableError: there is none, or it cannot be read.
    """
    if not path.is_file():
        raise StoreUnusableError(f"local store {path}: there is no such file")
    with naming_the_file(path):
        address = path.absolute().as_uri()
        try:
            return _checked(sqlite3.connect(f"{address}?mode=ro", uri=True, isolation_level=None), path)
        except sqlite3.OperationalError:
            # In a folder that is not writable SQLite cannot make its -shm file; without a -wal none is needed.
            if Path(f"{path}-wal").exists():
                raise
            return _checked(sqlite3.connect(f"{address}?immutable=1", uri=True, isolation_level=None), path)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction. IMMEDIATE: one that starts by reading could not always become a writing one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has itself rolled back after a full disk, for one.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Let the reads inside see one state of the file, whatever is written and removed meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _checked(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    try:
        if not _is_made(connection, path):
            raise StoreUnusableError(f"local store {path}: it is empty, nothing has been recorded there")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, patience_s: float) -> None:
    if not _is_made(connection, path):
        # Lets a smaller size bound make the file smaller; can be chosen for an empty file only.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _enter_wal(connection, patience_s)
        with transaction(connection):
            if not check_version(connection, path):
                create_tables(connection)
    # In WAL a lost power supply may cost the last batches, never the file.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}")


def _is_made(connection: sqlite3.Connection, path: Path) -> bool:
    # One state of the file for all that is looked at: another process may just be making the tables.
    with snapshot(connection):
        return check_version(connection, path)


def _enter_wal(connection: sqlite3.Connection, patience_s: float) -> None:
    # SQLite's own waiting does not cover this change, and several processes may start at once on a new file.
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
