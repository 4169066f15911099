"""SQLite's own errors, told with file and remedy."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fixed_spans.rows import LLM, row
from sentrial._store.connection import open_for_writing
from sentrial._store.failures import StoreBusyError, StoreUnusableError
from sentrial._store.sqlite_errors import naming_the_file
from sentrial._store.write import write_spans


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    connection = open_for_writing(path, patience_s=5)
    connection.execute("PRAGMA max_page_count = 40")
    large = [row(1, 2, LLM, SENTRIAL_REASONING="x" * 1_000_000)]
    with pytest.raises(StoreUnusableError) as refused, naming_the_file(path):
        write_spans(connection, large)
    assert str(refused.value) == (
        f"local store {path}: the disk is full (database or disk is full); "
        "free some space or set SENTRIAL_STORE to a path on another disk"
    )
    connection.execute("PRAGMA max_page_count = 4000")
    assert write_spans(connection, large) == 1
    connection.close()


def test_another_writer_is_no_failure_but_a_reason_to_wait(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    first, second = open_for_writing(path, patience_s=5), open_for_writing(path, patience_s=0.01)
    first.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError, match="database is locked"), naming_the_file(path):
        write_spans(second, [])
    first.close()
    second.close()


def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "sessions.db"
    with pytest.raises(StoreUnusableError) as refused:
        open_for_writing(path, patience_s=5)
    assert str(refused.value) == (f"local store {path}: File exists; set SENTRIAL_STORE to another path")


def test_an_error_without_a_remedy_keeps_its_words(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with pytest.raises(StoreUnusableError) as refused, naming_the_file(path):
        raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
    assert str(refused.value) == f"local store {path}: Cannot operate on a closed database."
