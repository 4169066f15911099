"""What can go wrong with the store's file, in words that name the file and the remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreError(Exception):
    """A failure of the local store; the message names the file."""


class StoreBusyError(StoreError):
    """Another process holds the file: the same call may pass a moment later."""


class StoreUnusableError(StoreError):
    """The file cannot be used until somebody does what the message says."""


# By message, because sqlite3 tells the error code only from Python 3.11 on. SQLite's words have been these for years.
_REMEDIES: tuple[tuple[str, str, str], ...] = (
    ("database or disk is full", "the disk is full", "free some space or set SENTRIAL_STORE to a path on another disk"),
    ("readonly", "it is not writable", "make it writable or set SENTRIAL_STORE to another path"),
    ("unable to open", "it cannot be opened", "check that the folder exists and is writable, or set SENTRIAL_STORE"),
    ("not a database", "it is damaged or no SQLite file", "move it away; a new store is made in its place"),
    ("malformed", "it is damaged", "move it away; a new store is made in its place"),
    ("no such table", "it is damaged", "move it away; a new store is made in its place"),
    ("no such column", "it is damaged", "move it away; a new store is made in its place"),
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
        raise StoreUnusableError(
            f"local store {path}: {words}; make the folder writable or set SENTRIAL_STORE to another path"
        ) from error


def _told(path: Path, error: sqlite3.Error) -> StoreError:
    words = str(error)
    if "locked" in words or "busy" in words:
        return StoreBusyError(f"local store {path}: {words}")
    for sign, problem, remedy in _REMEDIES:
        if sign in words.lower():
            return StoreUnusableError(f"local store {path}: {problem} ({words}); {remedy}")
    return StoreUnusableError(f"local store {path}: {words}")
