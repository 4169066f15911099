"""The errors of SQLite and of the operating system, told with the store's file and the remedy."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentrial._store.failures import StoreBusyError, StoreError, StoreUnusableError

_DISK = "free some space or set SENTRIAL_STORE to a path on another disk"
_WRITABLE = "make the file and its folder writable or set SENTRIAL_STORE to another path"
_ELSEWHERE = "set SENTRIAL_STORE to another path"
_DAMAGED = "move it away: a new store is then made in its place"

_REMEDIES_BY_NUMBER = {
    errno.EACCES: _WRITABLE,
    errno.EPERM: _WRITABLE,
    errno.EROFS: _WRITABLE,
    errno.ENOSPC: _DISK,
    errno.EDQUOT: _DISK,
}

# Told by message, because sqlite3 gives the error's code only from Python 3.11 on. The words have been these for years.
_REMEDIES: tuple[tuple[str, str, str], ...] = (
    ("is full", "the disk is full", _DISK),
    ("readonly", "it is not writable", _WRITABLE),
    ("unable to open", "it cannot be opened", _WRITABLE),
    ("not a database", "it is damaged, or no SQLite file", _DAMAGED),
    ("malformed", "it is damaged", _DAMAGED),
    ("no such table", "it is damaged", _DAMAGED),
    ("no such column", "it is damaged", _DAMAGED),
    ("disk i/o error", "the disk reports an error", "check the disk or set SENTRIAL_STORE to a path on another one"),
)


@contextmanager
def naming_the_file(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the operating system into :class:`StoreError`, with the file in its words."""
    try:
        yield
    except sqlite3.Error as error:
        raise _told(path, error) from error
    except OSError as error:
        words = error.strerror or str(error)
        remedy = _REMEDIES_BY_NUMBER.get(error.errno or 0, _ELSEWHERE)
        raise StoreUnusableError(f"local store {path}: {words}; {remedy}") from error


def _told(path: Path, error: sqlite3.Error) -> StoreError:
    words = str(error)
    if "locked" in words or "busy" in words:
        return StoreBusyError(f"local store {path}: {words}")
    for sign, problem, remedy in _REMEDIES:
        if sign in words.lower():
            return StoreUnusableError(f"local store {path}: {problem} ({words}); {remedy}")
    return StoreUnusableError(f"local store {path}: {words}")
