"""Taking sessions out of the store for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixed_spans.maker import at
from fixed_spans.rows import LLM, root, row, session_id
from sentrial._store import remove
from sentrial._store.connection import open_for_writing
from sentrial._store.read import list_sessions, read_spans
from sentrial._store.remove import NOTHING, Removed, remove_sessions
from sentrial._store.write import write_spans


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """Sessions 1 to 5 of two spans, with a text of their own and one that all share; session 5 is running."""
    connection = open_for_writing(path, patience_s=5)
    for number in range(1, 6):
        texts = {"SENTRIAL_REASONING": f"only of {number} " * 50, "GEN_AI_TOOL_DESCRIPTION": "of all " * 50}
        write_spans(connection, [row(number, 2, LLM, number, **texts)] + [root(number, number)] * (number < 5))
    yield connection
    connection.close()


def rows_of(connection: sqlite3.Connection, *numbers: int) -> list[int]:
    return [each.row_id for each in list_sessions(connection) if each.session_id in map(session_id, numbers)]


def test_whole_sessions_go_with_the_texts_that_nobody_else_has(connection: sqlite3.Connection) -> None:
    assert remove_sessions(connection, rows_of(connection, 2, 4)) == Removed(2, 4, at(4))
    assert [each.session_id for each in list_sessions(connection)] == [session_id(n) for n in (5, 3, 1)]
    assert read_spans(connection, session_id(2)) == []
    assert connection.execute("SELECT count(*) FROM texts").fetchone() == (4,)
    assert connection.execute("SELECT count(*) FROM fragments").fetchone() == (6,)
    (call,) = (span for span in read_spans(connection, session_id(3)) if span.parent_span_id)
    assert str(call.attributes["gen_ai.tool.description"]).startswith("of all of all")


def test_one_that_runs_stays(connection: sqlite3.Connection) -> None:
    assert remove_sessions(connection, rows_of(connection, 5)) == NOTHING
    assert len(list_sessions(connection)) == 5


def test_one_that_is_gone_already_is_passed_over(connection: sqlite3.Connection) -> None:
    assert remove_sessions(connection, [77, *rows_of(connection, 1), 78]) == Removed(1, 2, at(1))


def test_many_go_in_several_steps(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remove, "SPANS_AT_ONCE", 1)
    assert remove_sessions(connection, rows_of(connection, 1, 2, 3, 4)) == Removed(4, 8, at(4))


def test_nothing_of_it_is_left_in_the_files(connection: sqlite3.Connection, path: Path) -> None:
    def holds(words: bytes) -> bool:
        return any(words in file.read_bytes() for file in path.parent.glob("sessions.db*"))

    assert holds(b"only of 2 only of 2")
    remove_sessions(connection, rows_of(connection, 2))
    assert not holds(b"only of 2")
    assert not holds(session_id(2).encode())
    assert holds(b"only of 3 only of 3")
