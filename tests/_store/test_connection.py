"""Opening the file: made private, refused with a remedy where it is no store of ours."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from fixed_spans.rows import root
from running import run_program
from sentrial._store.connection import _version, make_private_file, open_for_reading, open_for_writing
from sentrial._store.failures import StoreBusyError, StoreUnusableError
from sentrial._store.read import list_sessions
from sentrial._store.schema import VERSION
from sentrial._store.write import write_spans


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "on the way" / "sessions.db"


def make_store(path: Path) -> None:
    connection = open_for_writing(path, patience_s=5)
    write_spans(connection, [root(1)])
    connection.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_file_and_folder_are_the_users_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        connection = open_for_writing(path, patience_s=5)
        write_spans(connection, [root(1)])
        assert mode(path.parent) == 0o700
        assert {each.name: mode(each) for each in path.parent.iterdir()} == {
            "sessions.db": 0o600,
            "sessions.db-wal": 0o600,
            "sessions.db-shm": 0o600,
        }
        connection.close()
    finally:
        os.umask(before)


def test_the_file_is_a_wal_database_that_can_shrink(path: Path) -> None:
    connection = open_for_writing(path, patience_s=5)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    connection.close()


@pytest.mark.parametrize("open_store", [lambda path: open_for_writing(path, 5), open_for_reading])
def test_a_newer_version_is_refused(path: Path, open_store: object) -> None:
    make_store(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreUnusableError) as refused:
        open_store(path)  # type: ignore[operator]  # one of two functions
    assert str(refused.value) == (
        f"local store {path}: its format has version 3, this sentrial knows versions up to 2; upgrade with: "
        "pip install --upgrade sentrial-otel (or set SENTRIAL_STORE to another path)"
    )


def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnusableError, match="a database of another program, and is left alone"):
        open_for_writing(path, patience_s=5)
    with pytest.raises(StoreUnusableError, match="set SENTRIAL_STORE to another path"):
        open_for_reading(path)
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused_and_kept(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"my notes\n" * 200)
    with pytest.raises(StoreUnusableError) as refused:
        open_for_writing(path, patience_s=5)
    assert str(refused.value) == (
        f"local store {path}: it is damaged, or no SQLite file (file is not a database); "
        "move it away: a new store is then made in its place"
    )
    assert path.read_bytes() == b"my notes\n" * 200


def test_a_torn_file_is_refused(path: Path) -> None:
    make_store(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    connection = open_for_reading(path)
    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        list_sessions(connection)
    connection.close()


def test_a_missing_file_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(StoreUnusableError, match="there is no such file"):
        open_for_reading(path)
    assert not path.exists()


def test_an_empty_file_is_no_store_yet(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(StoreUnusableError, match="it is empty, nothing has been recorded there"):
        open_for_reading(path)
    make_store(path)
    connection = open_for_reading(path)
    assert len(list_sessions(connection)) == 1
    connection.close()


def test_reading_changes_nothing(path: Path) -> None:
    make_store(path)
    before = path.read_bytes()
    connection = open_for_reading(path)
    assert len(list_sessions(connection)) == 1
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        write_spans(connection, [root(2)])
    connection.close()
    assert path.read_bytes() == before


def test_reading_sees_what_a_writer_has_not_yet_moved_into_the_file(path: Path) -> None:
    writer = open_for_writing(path, patience_s=5)
    write_spans(writer, [root(1)])
    reader = open_for_reading(path)
    write_spans(writer, [root(2)])
    assert len(list_sessions(reader)) == 2
    reader.close()
    writer.close()


def test_a_path_with_signs_of_an_address_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory&b#c%20.db"
    make_store(path)
    connection = open_for_reading(path)
    assert len(list_sessions(connection)) == 1
    connection.close()


def test_a_store_that_another_process_holds_for_too_long_is_busy(path: Path) -> None:
    path.parent.mkdir(parents=True)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBusyError, match=r"sessions\.db: database is locked"):
        open_for_writing(path, patience_s=0.01)
    holder.execute("ROLLBACK")
    holder.close()
    make_store(path)


def test_a_store_made_by_another_process_while_we_look_is_not_taken_for_a_strangers(path: Path) -> None:
    path.parent.mkdir(parents=True)
    ours = sqlite3.connect(path, isolation_level=None)
    ours.execute("PRAGMA journal_mode = WAL").fetchone()
    looked_at: list[str] = []

    def make_it_meanwhile(statement: str) -> None:
        looked_at.append(statement)
        if statement == "PRAGMA application_id":
            make_store(path)

    ours.set_trace_callback(make_it_meanwhile)
    assert _version(ours, path) == 0
    ours.set_trace_callback(None)
    assert "PRAGMA application_id" in looked_at
    assert _version(ours, path) == VERSION
    ours.close()


WRITE_AT_ONCE = """
    import os, sqlite3
    connection = sqlite3.connect(os.environ["STORE"], timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        print('"' + str(error) + '"')
"""
OPEN_AND_CLOSE = """
    import os
    from pathlib import Path
    from sentrial._store.connection import open_for_writing
    open_for_writing(Path(os.environ["STORE"]), patience_s=30).close()
"""
COUNT = """
    import os
    from pathlib import Path
    from sentrial._store.connection import open_for_reading
    from sentrial._store.read import list_sessions
    print(len(list_sessions(open_for_reading(Path(os.environ["STORE"])))))
"""


def test_what_is_written_after_a_second_opening_is_there_for_other_processes(path: Path) -> None:
    """As after ``configure(store_max_size=...)``: the destination of before still delivers."""
    first = open_for_writing(path, patience_s=5)
    write_spans(first, [root(1)])
    second = open_for_writing(path, patience_s=5)
    # It would take itself for the last one that has the store open, and put everything in order.
    run_program(OPEN_AND_CLOSE, {"STORE": str(path)})
    write_spans(first, [root(2)])
    assert run_program(COUNT, {"STORE": str(path)}).printed == [2]
    first.close()
    second.close()


def test_a_file_that_is_there_keeps_the_locks_of_this_process(path: Path) -> None:
    path.parent.mkdir(parents=True)
    make_private_file(path)
    assert mode(path) == 0o600
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    make_private_file(path)
    assert run_program(WRITE_AT_ONCE, {"STORE": str(path)}).printed == ["database is locked"]
    holder.close()


def test_a_link_to_a_store_that_is_not_there_yet_makes_that(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
        make_store(tmp_path / "link.db")
    finally:
        os.umask(before)
    assert mode(tmp_path / "real.db") == 0o600
