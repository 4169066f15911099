"""Looking on while sessions are written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixed_spans.rows import LLM, TOOL, root, row, session_id
from sentrial._store import follow
from sentrial._store.connection import open_for_reading, open_for_writing
from sentrial._store.follow import Follower
from sentrial._store.remove import remove_sessions
from sentrial._store.span_row import SpanRow
from sentrial._store.write import write_spans


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_writing(path, patience_s=5)
    yield connection
    connection.close()


@pytest.fixture
def reader(path: Path, writer: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection = open_for_reading(path)
    yield connection
    connection.close()


def opened(number: int) -> SpanRow:
    return replace(root(number, number), is_open=True)


def told(changes: list[follow.Change]) -> list[str]:
    numbers = {session_id(number): number for number in range(100)}
    return [
        f"{change.kind.value} {numbers[change.session.session_id]}{f' {change.event.name}' if change.event else ''}"
        for change in changes
    ]


def test_a_session_is_told_from_its_start_to_its_end(writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
    follower = Follower()
    assert follower.begin(reader) == []
    write_spans(writer, [opened(1)])
    assert told(follower.next(reader)) == ["started 1"]
    assert follower.next(reader) == []
    write_spans(writer, [row(1, 2, TOOL, 1, 2, name="a"), row(1, 3, LLM, 2, 3, name="b", GEN_AI_USAGE_INPUT_TOKENS=7)])
    changes = follower.next(reader)
    assert told(changes) == ["event 1 a", "event 1 b"]
    assert (changes[1].session.input_tokens, changes[1].session.status) == (7, "running")
    write_spans(writer, [row(1, 4, TOOL, name="c"), root(1, 1, 9, "failed")])
    changes = follower.next(reader)
    assert told(changes) == ["event 1 c", "ended 1"]
    assert changes[-1].session.status == "failed"
    assert follower.next(reader) == []


def test_what_runs_already_is_told_first_and_what_has_ended_is_not(
    writer: sqlite3.Connection, reader: sqlite3.Connection
) -> None:
    write_spans(writer, [opened(2), row(2, 2, TOOL), opened(1), root(3), row(4, 2, TOOL, 4)])
    follower = Follower()
    assert told(follower.begin(reader)) == ["open 1", "open 2", "open 4"]
    write_spans(writer, [root(2, 2), row(3, 9, TOOL, name="late")])
    assert told(follower.next(reader)) == ["event 3 late", "ended 2"]
    assert follower.next(reader) == []


def test_without_a_beginning_all_of_it_is_new(writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
    write_spans(writer, [row(1, 2, TOOL, name="a"), root(1), opened(2), row(9, 9, None, session=False)])
    assert told(Follower().next(reader)) == ["started 1", "started 2", "event 1 a", "ended 1"]


def test_one_that_was_abandoned_and_goes_on_ends_again(writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
    write_spans(writer, [opened(1)])
    follower = Follower()
    follower.begin(reader)
    writer.execute("UPDATE sessions SET status = 'abandoned'")
    assert told(follower.next(reader)) == ["ended 1"]
    write_spans(writer, [row(1, 2, TOOL, name="a")])
    assert told(follower.next(reader)) == ["event 1 a"]
    write_spans(writer, [root(1)])
    assert told(follower.next(reader)) == ["ended 1"]


def test_one_that_is_removed_is_told_no_more(writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
    write_spans(writer, [opened(1), opened(2)])
    follower = Follower()
    follower.begin(reader)
    writer.execute("UPDATE sessions SET status = 'completed' WHERE row_id = 1")
    remove_sessions(writer, [1])
    assert follower.next(reader) == []


def test_more_than_fits_is_told_in_steps_and_the_end_at_the_end(
    writer: sqlite3.Connection, reader: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_AT_ONCE", 2)
    follower = Follower()
    write_spans(writer, [*(row(1, 2 + place, TOOL, place, name=f"e{place}") for place in range(5)), root(1)])
    steps = []
    while changes := follower.next(reader):
        steps.append(told(changes))
    assert steps == [
        ["started 1", "event 1 e0", "event 1 e1"],
        ["event 1 e2", "event 1 e3"],
        ["event 1 e4"],
        ["ended 1"],
    ]
