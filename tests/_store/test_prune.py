"""The store stays within its size; whole sessions go, the oldest first."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixed_spans.maker import at
from fixed_spans.rows import LLM, root, row, session_id
from sentrial._store import prune as pruning
from sentrial._store.connection import open_for_writing
from sentrial._store.read import list_sessions, read_spans
from sentrial._store.write import write_spans

BOUND = 400_000


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_writing(tmp_path / "sessions.db", patience_s=5)
    yield connection
    connection.close()


def prune(connection: sqlite3.Connection, max_bytes: int) -> pruning.Removed | None:
    return pruning.prune(connection, max_bytes, patience_s=60)


def held(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def one_session(number: int, size: int = 20_000, **said: Any) -> list[Any]:
    shared = "what every session says " * 50
    own = f"session {number} " * (size // 12)
    return [
        row(number, 2, LLM, number, SENTRIAL_REASONING=own, GEN_AI_TOOL_DESCRIPTION=shared, **said),
        root(number, number, number + 1),
    ]


def test_nothing_is_removed_below_the_bound(connection: sqlite3.Connection) -> None:
    write_spans(connection, one_session(1))
    assert prune(connection, BOUND) is None
    assert len(list_sessions(connection)) == 1


def test_the_oldest_whole_sessions_go_first(connection: sqlite3.Connection) -> None:
    # Written in an order that is not that of their starts.
    for number in (*range(20, 40), *range(1, 20)):
        write_spans(connection, one_session(number))
    removed = prune(connection, BOUND)
    assert removed is not None
    assert held(connection) <= BOUND
    kept = [each.session_id for each in list_sessions(connection)]
    assert kept == [session_id(number) for number in range(39, 39 - len(kept), -1)]
    assert 10 < len(kept) < 20, "no more than a tenth of the bound is freed"
    assert (removed.sessions, removed.spans, removed.newest_ns) == (
        39 - len(kept),
        2 * (39 - len(kept)),
        at(39 - len(kept)),
    )
    assert connection.execute("SELECT count(*) FROM spans").fetchone() == (2 * len(kept),)


def test_texts_go_with_the_last_session_that_refers_to_them(connection: sqlite3.Connection) -> None:
    for number in range(1, 40):
        write_spans(connection, one_session(number))
    prune(connection, BOUND)
    kept = len(list_sessions(connection))
    assert connection.execute("SELECT count(*) FROM texts").fetchone() == (kept + 1,), "one each, and the shared one"
    assert connection.execute("SELECT count(*) FROM fragments").fetchone() == (2 * kept,)
    spans = read_spans(connection, session_id(39))
    assert spans[0].attributes == one_session(39)[0].attributes
    prune(connection, 0)
    tables = ("sessions", "spans", "texts", "fragments")
    assert [connection.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in tables] == [0, 0, 0, 0]


def test_what_was_removed_is_said_in_words(connection: sqlite3.Connection) -> None:
    for number in range(1, 4):
        write_spans(connection, one_session(number))
    assert str(prune(connection, 0)) == (
        "removed the oldest 3 session(s), 6 span(s), started until 2026-11-20 14:03:08 UTC"
    )


def test_spans_outside_every_session_go_by_their_age(connection: sqlite3.Connection) -> None:
    def outside(number: int) -> Any:
        return row(900 + number, 2, None, number, session=False, SENTRIAL_REASONING=f"{number} " * 3_000)

    for number in range(1, 40):
        write_spans(connection, [*one_session(number), outside(number)])
    prune(connection, BOUND)
    first_kept = list_sessions(connection)[-1].start_ns
    assert min(span.start_ns for span in read_spans(connection, None)) == first_kept
    prune(connection, 0)
    assert read_spans(connection, None) == []


def test_a_session_may_come_back_after_it_was_removed(connection: sqlite3.Connection) -> None:
    write_spans(connection, one_session(1))
    prune(connection, 0)
    write_spans(connection, [row(1, 9, LLM, 5)])
    (found,) = list_sessions(connection)
    assert (found.status, found.events, found.row_id) == ("running", 1, 2)


def test_a_smaller_bound_makes_the_file_smaller(connection: sqlite3.Connection, tmp_path: Path) -> None:
    for number in range(1, 100):
        write_spans(connection, one_session(number))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert (tmp_path / "sessions.db").stat().st_size > 1_500_000
    prune(connection, BOUND)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert (tmp_path / "sessions.db").stat().st_size <= BOUND
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_takes_too_long_is_left_to_the_next_call(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_SPANS_AT_ONCE", 4)
    for number in range(1, 8):
        write_spans(connection, one_session(number))
    removed = [pruning.prune(connection, 0, patience_s=0) for _ in range(5)]
    assert [each and each.sessions for each in removed] == [2, 2, 2, 1, None]


def test_a_running_session_stays_however_old_it_is(connection: sqlite3.Connection) -> None:
    write_spans(connection, [row(900, 2, LLM, -500, SENTRIAL_REASONING="x" * 20_000)])
    for number in range(1, 40):
        write_spans(connection, one_session(number))
    prune(connection, BOUND)
    prune(connection, 0)
    assert [each.status for each in list_sessions(connection)] == ["running"]
    assert len(read_spans(connection, session_id(900))) == 1
    assert prune(connection, 0) is None
    write_spans(connection, [root(900, -500, -400)])
    assert prune(connection, 0) is not None
    assert list_sessions(connection) == []


def test_one_that_was_left_behind_goes_like_any_other(connection: sqlite3.Connection) -> None:
    write_spans(connection, one_session(1)[:1])
    assert pruning.prune(connection, 0, silence_s=3600) is None
    connection.execute("UPDATE sessions SET heard_ns = 0")
    removed = pruning.prune(connection, 0, silence_s=3600)
    assert removed is not None
    assert removed.sessions == 1


def seconds_since(begin: float) -> float:
    return (time.time_ns() - at(begin)) / 1e9


def test_what_ended_too_long_ago_goes_and_nothing_else(connection: sqlite3.Connection) -> None:
    write_spans(connection, [*one_session(1), root(2, 2, 50), *one_session(3), row(4, 2, LLM, 1), *one_session(60)])
    write_spans(connection, [row(905, 2, None, 5, session=False), row(970, 2, None, 70, session=False)])
    removed = pruning.expire(connection, seconds_since(40))
    assert removed is not None
    assert (removed.sessions, removed.spans) == (2, 5)
    # The second ended later, the fourth is running.
    assert [each.session_id for each in list_sessions(connection)] == [session_id(n) for n in (60, 2, 4)]
    assert [each.start_ns for each in read_spans(connection, None)] == [at(70)]
    assert pruning.expire(connection, seconds_since(40)) is None


def test_age_and_size_know_nothing_of_each_other(connection: sqlite3.Connection) -> None:
    for number in range(1, 10):
        write_spans(connection, one_session(number))
    assert prune(connection, 2**30) is None
    assert pruning.expire(connection, seconds_since(-1)) is None
    assert len(list_sessions(connection)) == 9
