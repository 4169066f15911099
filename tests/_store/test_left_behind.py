"""A session whose process was killed does not run for ever."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixed_spans.maker import at
from fixed_spans.rows import TOOL, root, row, session_id
from sentrial._store.connection import open_for_writing
from sentrial._store.left_behind import REASON, end_left_behind, find_left_behind
from sentrial._store.read import list_sessions
from sentrial._store.span_row import SpanRow
from sentrial._store.write import write_spans

TESTS = Path(__file__).parents[1]
OPEN = """
import sys
from dataclasses import replace
from pathlib import Path
from fixed_spans.rows import TOOL, root, row
from sentrial._store.connection import open_for_writing
from sentrial._store.write import write_spans

connection = open_for_writing(Path(sys.argv[1]), patience_s=30)
write_spans(connection, [replace(root(1), is_open=True), row(1, 2, TOOL, 3, 4)])
print("open", flush=True)
input()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_writing(path, patience_s=5)
    yield connection
    connection.close()


def opened(number: int, **attributes: object) -> SpanRow:
    return replace(root(number, **attributes), is_open=True)


def age(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute("UPDATE sessions SET heard_ns = heard_ns - ?", (int(seconds * 1e9),))


def test_a_session_of_a_killed_process_is_abandoned(path: Path, connection: sqlite3.Connection) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", OPEN, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    assert find_left_behind(connection) == []
    process.kill()
    process.communicate(timeout=30)
    assert find_left_behind(connection) == [1]
    assert end_left_behind(connection) == 1
    (found,) = list_sessions(connection)
    assert (found.status, found.failure_reason, found.owner, found.events) == ("abandoned", REASON, None, 1)
    assert (found.start_ns, found.end_ns) == (at(0), at(4))
    assert end_left_behind(connection) == 0


def test_a_session_of_a_process_that_lives_runs_however_long_it_is_silent(connection: sqlite3.Connection) -> None:
    write_spans(connection, [opened(1)])
    age(connection, 10 * 86_400)
    assert find_left_behind(connection) == []


def test_where_the_process_cannot_be_asked_silence_decides(connection: sqlite3.Connection) -> None:
    write_spans(connection, [row(1, 2, TOOL)])
    (found,) = list_sessions(connection)
    assert (found.status, found.owner) == ("running", None)
    age(connection, 3_000)
    assert find_left_behind(connection, silence_s=3_600) == []
    age(connection, 1_000)
    assert find_left_behind(connection, silence_s=3_600) == [1]
    connection.execute("UPDATE sessions SET owner = 'another-machine pid:[1] 7 7'")
    assert find_left_behind(connection, silence_s=3_600) == [1]


def test_one_that_is_heard_of_again_runs_again_and_ends_as_it_ends(connection: sqlite3.Connection) -> None:
    write_spans(connection, [row(1, 2, TOOL)])
    age(connection, 100_000)
    end_left_behind(connection)
    assert list_sessions(connection)[0].status == "abandoned"
    write_spans(connection, [row(1, 3, TOOL, 5, 6)])
    (again,) = list_sessions(connection)
    assert (again.status, again.failure_reason, again.events) == ("running", None, 2)
    assert find_left_behind(connection) == []
    write_spans(connection, [root(1, 0, 8, "completed")])
    (ended,) = list_sessions(connection)
    assert (ended.status, ended.failure_reason, ended.end_ns) == ("completed", None, at(8))


def test_what_has_ended_is_never_left_behind(connection: sqlite3.Connection) -> None:
    write_spans(connection, [opened(1), root(1), root(2, outcome="continued"), root(3, outcome="paused")])
    age(connection, 10**6)
    assert end_left_behind(connection) == 0
    assert {each.session_id: each.status for each in list_sessions(connection)} == {
        session_id(1): "completed",
        session_id(2): "continued",
        session_id(3): "paused",
    }
