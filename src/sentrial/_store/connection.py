"""Opening the store's file: for the one writer thread of a process, or for reading only."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentrial._store.failures import StoreEmptyError, StoreError, StoreUnusableError
from sentrial._store.migration import migrate
from sentrial._store.schema import VERSION, create_tables, read_version
from sentrial._store.sqlite_errors import naming_the_file

_WAL_BYTES_KEPT = 16 * 1024 * 1024
_PATIENCE_OF_A_READER_S = 5.0


def open_for_writing(path: Path, patience_s: float) -> sqlite3.Connection:
    """Open the store at ``path``, made where there is none: folder 0700, file 0600, since its content is private.

    A store of an older version becomes one of this version.

    Raises:
        StoreBusyError: other processes held it for ``patience_s`` seconds.
        StoreUnusableError: no store, or not to be written.
    """
    with naming_the_file(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its -wal and -shm files the mode of this one.
        make_private_file(path)
        # Used by one thread at a time, but closed by whichever thread shuts the pipeline down.
        connection = sqlite3.connect(str(path), timeout=patience_s, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, path, patience_s)
        except BaseException:
            connection.close()
            raise
        return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the store at ``path`` without changing it, but that one of an older version becomes one of this version.

    Raises:
        StoreUnusableError: there is none, or it cannot be read.
    """
    if not path.is_file():
        raise StoreUnusableError(f"local store {path}: there is no such file")
    with naming_the_file(path):
        connection = _read_only(path)
        try:
            version = _version(connection, path)
        except BaseException:
            connection.close()
            raise
        if version == VERSION:
            return connection
        connection.close()
        if version == 0:
            raise StoreEmptyError(f"local store {path}: it is empty, nothing has been recorded there")
        try:
            open_for_writing(path, _PATIENCE_OF_A_READER_S).close()
        except StoreError as error:
            raise StoreUnusableError(
                f"its format has version {version} and has to become version {VERSION} first, which failed: {error}"
            ) from error
        return _read_only(path)


def make_private_file(path: Path) -> None:
    """Make an empty file at ``path``, mode 0600, where there is none.

    One that is there is not opened: closing it would end every lock that SQLite holds on it in this process, which is
    how POSIX has it. Other processes would then take the store for closed, and a writer's -wal for left behind.

    Raises:
        OSError: it cannot be made, or not be written.
    """
    # Where a link leads to nothing yet, what it leads to is made.
    place = os.path.realpath(path)
    try:
        os.close(os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if os.path.isdir(place):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path)) from None
        if not os.access(place, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path)) from None


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


def _read_only(path: Path) -> sqlite3.Connection:
    address = path.absolute().as_uri()
    connection = sqlite3.connect(f"{address}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA user_version").fetchone()
        return connection
    except sqlite3.OperationalError:
        connection.close()
        # In a folder that is not writable SQLite cannot make its -shm file; without a -wal none is needed.
        if Path(f"{path}-wal").exists():
            raise
        return sqlite3.connect(f"{address}?immutable=1", uri=True, isolation_level=None)
    except BaseException:
        connection.close()
        raise


def _prepare(connection: sqlite3.Connection, path: Path, patience_s: float) -> None:
    version = _version(connection, path)
    if version == 0:
        # Lets a smaller size bound make the file smaller; can be chosen for an empty file only.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _enter_wal(connection, patience_s)
    if version < VERSION:
        with transaction(connection):
            # Asked again: several processes may start at once, and one is the first.
            version = read_version(connection, path)
            if version == 0:
                create_tables(connection)
            else:
                migrate(connection, version)
    # In WAL a lost power supply may cost the last batches, never the file.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    # One state of the file for all that is looked at: another process may just be making the tables.
    with snapshot(connection):
        return read_version(connection, path)


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
