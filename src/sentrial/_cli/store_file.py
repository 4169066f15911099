"""The store that a command is about: found, opened, and tidied on the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentrial import _config
from sentrial._store.connection import open_for_reading, open_for_writing
from sentrial._store.failures import StoreError, StoreUnusableError
from sentrial._store.left_behind import end_left_behind, find_left_behind
from sentrial._store.location import VARIABLE, store_path
from sentrial._store.sqlite_errors import naming_the_file

_PATIENCE_S = 5.0
_PATIENCE_TO_TIDY_S = 0.2


def place_of(store: Path | None) -> Path:
    """Where the store is that ``store`` names; without it, the usual one."""
    return store or store_path()


@contextmanager
def reading(store: Path | None) -> Iterator[tuple[Path, sqlite3.Connection]]:
    """The store's place, and a connection that reads it.

    Raises:
        StoreError: there is none, or it cannot be read.
    """
    path = _existing(store)
    with naming_the_file(path):
        connection = open_for_reading(path)
        try:
            tidy(connection, path)
            yield path, connection
        finally:
            connection.close()


@contextmanager
def writing(store: Path | None) -> Iterator[tuple[Path, sqlite3.Connection]]:
    """The store's place, and a connection that changes it.

    Raises:
        StoreError: there is none, or it cannot be written.
    """
    path = _existing(store)
    with naming_the_file(path):
        connection = open_for_writing(path, _PATIENCE_S)
        try:
            end_left_behind(connection, silence_s())
            yield path, connection
        finally:
            connection.close()


def tidy(connection: sqlite3.Connection, path: Path) -> None:
    """Have sessions whose process is gone say so; where the store cannot be written, they go on saying ``running``."""
    if not find_left_behind(connection, silence_s()):
        return
    try:
        writer = open_for_writing(path, _PATIENCE_TO_TIDY_S)
    except StoreError:
        return
    try:
        end_left_behind(writer, silence_s())
    except sqlite3.Error:
        return
    finally:
        writer.close()


def silence_s() -> float:
    """After how many seconds without a word a session counts as left behind."""
    return _config.survey({}).session_timeout


def _existing(store: Path | None) -> Path:
    path = place_of(store)
    if not path.exists():
        raise StoreUnusableError(
            f"there is no local store at {path}\n"
            "Sessions are recorded there when no key and no collector are configured, or with "
            f"{VARIABLE}=on; {VARIABLE} or --store name another file."
        )
    return path
