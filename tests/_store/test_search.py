"""Sessions are found by what was said in them, with an index of the texts and without."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixed_spans.rows import DECISION, ERROR, LLM, TOOL, root, row, session_id
from sentrial._store import search, search_index
from sentrial._store.connection import open_for_reading, open_for_writing
from sentrial._store.remove import remove_sessions
from sentrial._store.search import build_index, search_sessions
from sentrial._store.search_index import index_path, remove_index
from sentrial._store.session_filter import EVERY, SessionFilter
from sentrial._store.span_row import SpanEvent, SpanRow
from sentrial._store.write import write_spans


def said(text: str) -> str:
    return json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}], ensure_ascii=False)


def spans() -> list[SpanRow]:
    failed = row(5, 2, ERROR, 51, status="ERROR", name="error")
    exception = SpanEvent("exception", 0, {"exception.message": "PaymentLimitError: above the limit"})
    return [
        row(1, 2, LLM, 11, name="chat gpt-4o", GEN_AI_INPUT_MESSAGES=said("Where is my ORDER? " * 30)),
        root(1, 10, USER_ID="ann@example.com"),
        row(2, 2, TOOL, 21, GEN_AI_TOOL_NAME="lookup_order", GEN_AI_TOOL_CALL_ARGUMENTS='{"sku":"TKT-789"}'),
        root(2, 20, 25, "failed", SENTRIAL_SESSION_FAILURE_REASON="refund needs a second pair of eyes"),
        row(3, 2, DECISION, 31, SENTRIAL_DECISION_ALTERNATIVES=("refund", "Straße 注文番号")),
        root(3, 30, GEN_AI_AGENT_NAME="billing-agent"),
        row(4, 2, LLM, 41, GEN_AI_OUTPUT_MESSAGES=said('He said "no way"\nand left. C:\\temp ' * 20)),
        root(4, 40),
        replace(failed, events=(exception,)),
        root(5, 50, GEN_AI_AGENT_NAME="billing-agent"),
        row(6, 2, TOOL, 61, GEN_AI_TOOL_CALL_RESULT=json.dumps({"name": "Café 😀 Rødkær"})),
        root(6, 60),
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sessions.db"
    connection = open_for_writing(path, patience_s=5)
    write_spans(connection, spans())
    connection.close()
    return path


@pytest.fixture(params=["index", "no index"])
def connection(
    path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[sqlite3.Connection]:
    connection = open_for_reading(path)
    if request.param == "no index":
        monkeypatch.setattr(search, "open_index", lambda *_: None)
    yield connection
    connection.close()


def found(
    connection: sqlite3.Connection, path: Path, text: str, wanted: SessionFilter = EVERY, limit: int = 50
) -> list[int]:
    numbers = {session_id(number): number for number in range(100)}
    return [numbers[each.session_id] for each in search_sessions(connection, path, text, wanted, limit=limit)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("where is my order", [1]),
        ("order? where", [1]),
        ("ann@example.com", [1]),
        ("gpt-4o", [1]),
        ("lookup_order", [2]),
        ("tkt-789", [2]),
        ("SECOND PAIR", [2]),
        ("refund", [3, 2]),
        ("STRASSE", []),
        ("straße", [3]),
        ("注文番号", [3]),
        ("注文", [3]),
        ("billing-agent", [5, 3]),
        ('said "no way"', [4]),
        ('way"\nand left', [4]),
        ("c:\\temp", [4]),
        ("PaymentLimit", [5]),
        ("café", [6]),
        ("CAFÉ 😀 r", [6]),
        ("rødkær", [6]),
        ("no", [4]),
        ("nothing holds this", []),
        ("%", []),
        ("invoke_agent", [6, 5, 4, 3, 2, 1]),
    ],
)
def test_a_text_is_found_wherever_it_stands(
    connection: sqlite3.Connection, path: Path, text: str, numbers: list[int]
) -> None:
    assert found(connection, path, text) == numbers


@pytest.mark.parametrize("text", ["sentrial.event.type", "status_message", "tool_call", session_id(1), "skeleton"])
def test_names_and_ids_of_our_own_are_no_text(connection: sqlite3.Connection, path: Path, text: str) -> None:
    assert found(connection, path, text) == []


def test_filters_and_limit_count_too(connection: sqlite3.Connection, path: Path) -> None:
    assert found(connection, path, "refund", SessionFilter(agent="billing-agent")) == [3]
    assert found(connection, path, "refund", SessionFilter(status="failed")) == [2]
    assert found(connection, path, "invoke_agent", limit=2) == [6, 5]
    assert found(connection, path, "invoke_agent", SessionFilter(until_ns=spans()[3].start_ns)) == [2, 1]


def test_what_is_written_later_is_found_at_once(connection: sqlite3.Connection, path: Path) -> None:
    assert found(connection, path, "brand new") == []
    writer = open_for_writing(path, patience_s=5)
    write_spans(writer, [row(7, 2, LLM, 71, SENTRIAL_REASONING="brand new " * 50), row(8, 2, TOOL, name="brand new")])
    assert found(connection, path, "brand new") == [7, 8]
    writer.close()


def test_a_session_that_has_just_begun_is_found_by_what_is_known_of_it(
    connection: sqlite3.Connection, path: Path
) -> None:
    writer = open_for_writing(path, patience_s=5)
    begun = root(9, 90, GEN_AI_AGENT_NAME="night-agent")
    write_spans(writer, [replace(begun, is_open=True)])
    writer.close()
    assert found(connection, path, "night-agent") == [9]


def test_what_is_removed_is_not_found(connection: sqlite3.Connection, path: Path) -> None:
    assert found(connection, path, "refund") == [3, 2]
    writer = open_for_writing(path, patience_s=5)
    remove_sessions(writer, [3])
    writer.close()
    assert found(connection, path, "refund") == [2]


# --- the index --------------------------------------------------------------------------------------------------------


@pytest.fixture
def reader(path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_reading(path)
    yield connection
    connection.close()


def test_the_index_is_the_users_alone_and_beside_the_store(reader: sqlite3.Connection, path: Path) -> None:
    before = path.read_bytes()
    assert build_index(reader, path, 60) == 0
    assert index_path(path) == path.with_name("sessions.db.search")
    assert stat.S_IMODE(index_path(path).stat().st_mode) == 0o600
    assert path.read_bytes() == before


def test_a_rare_text_is_found_through_the_index_alone(
    reader: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_this_way(*_: object) -> list[int]:
        raise AssertionError("everything was read")

    monkeypatch.setattr(search, "_by_reading", not_this_way)
    assert found(reader, path, "PaymentLimit") == [5]
    with pytest.raises(AssertionError):
        found(reader, path, "no")


def test_a_common_text_is_not_looked_up(
    reader: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_CANDIDATES", 2)
    assert build_index(reader, path, 60) == 0
    assert found(reader, path, "invoke_agent", limit=2) == [6, 5]


def test_an_index_that_is_behind_is_helped_out(
    reader: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "INDEXING_S", -1.0)
    monkeypatch.setattr(search_index, "_AT_ONCE", 2)
    assert build_index(reader, path, -1.0) == 10
    assert found(reader, path, "rødkær") == [6]
    assert found(reader, path, "where is my order") == [1]


def test_a_damaged_index_is_passed_over(reader: sqlite3.Connection, path: Path) -> None:
    index_path(path).write_bytes(b"no database at all" * 500)
    assert found(reader, path, "refund") == [3, 2]
    assert build_index(reader, path, 60) is None


def test_an_index_that_somebody_else_writes_is_passed_over(reader: sqlite3.Connection, path: Path) -> None:
    build_index(reader, path, 60)
    holder = sqlite3.connect(index_path(path), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    reader.execute("PRAGMA busy_timeout = 10").fetchall()
    assert found(reader, path, "refund") == [3, 2]
    holder.close()


def test_a_removed_index_is_made_again(reader: sqlite3.Connection, path: Path) -> None:
    build_index(reader, path, 60)
    remove_index(path)
    assert not index_path(path).exists()
    remove_index(path)
    assert found(reader, path, "refund") == [3, 2]
    assert index_path(path).stat().st_size > 0


def test_the_index_of_a_store_that_stood_here_before_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    for text in ("first store", "other store"):
        path.unlink(missing_ok=True)
        writer = open_for_writing(path, patience_s=5)
        write_spans(writer, [row(1, 2, TOOL, name=text), root(1)])
        writer.close()
        connection = open_for_reading(path)
        assert found(connection, path, text) == [1]
        assert found(connection, path, "store", limit=9) == [1]
        connection.close()


def test_an_index_of_what_is_mostly_gone_is_made_anew(path: Path) -> None:
    writer = open_for_writing(path, patience_s=5)
    build_index(writer, path, 60)
    remove_sessions(writer, [1, 2, 3, 4, 5])
    assert search_index.open_index(writer, path) is not None
    assert writer.execute("SELECT count(*) FROM found.progress").fetchone() == (1,)
    writer.close()
