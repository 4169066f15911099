"""What goes into the store comes out of it, unchanged, and texts are in it once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixed_spans.rows import LLM, SESSION, TOOL, root, row, session_id
from sentrial import semconv as s
from sentrial._store.connection import open_for_writing
from sentrial._store.read import find_sessions, list_sessions, read_session, read_spans
from sentrial._store.span_row import SpanEvent, SpanLink, dump_rows, load_rows
from sentrial._store.texts import SHORT
from sentrial._store.write import write_spans


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_writing(tmp_path / "sessions.db", patience_s=5)
    yield connection
    connection.close()


def message(text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"type": "text", "content": text}]}


def count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_span_comes_back_as_it_was_written(connection: sqlite3.Connection) -> None:
    span = replace(
        row(1, 2, LLM, 1, 2, name="chat gpt-4o", status="ERROR"),
        kind="CLIENT",
        status_message="no",
        events=(SpanEvent("exception", 5, {"exception.message": "x" * 1000}),),
        links=(SpanLink("a" * 32, "b" * 16, {"why": "caller"}),),
        scope_name="openai",
        scope_version="1.2",
        resource={"service.name": "r" * 1000, "process.command_args": ("python", "app.py")},
    )
    texts = {
        "plain": "x" * 1000,
        "short": "kurz",
        "number": 3,
        "float": 1.0,
        "flag": True,
        "list": ("a", "b"),
        "numbers": (1, 2.5),
        "nothing": None,
        "map": {"text": 1},
        s.GEN_AI_INPUT_MESSAGES: json.dumps([message("a" * 300), message("é\n\u0000")]),
        s.GEN_AI_OUTPUT_MESSAGES: json.dumps([message("b" * 300), {}], separators=(",", ":"), ensure_ascii=False),
        s.GEN_AI_TOOL_DEFINITIONS: '[{"a":1 }, {"b":2}' + " " * SHORT + "]",
        s.GEN_AI_SYSTEM_INSTRUCTIONS: "[not json" + "!" * SHORT,
    }
    span = replace(span, attributes={**span.attributes, **texts})
    write_spans(connection, [span])
    assert read_spans(connection, session_id(1)) == [span]


def test_bytes_between_encoder_and_sender_hold_the_same_rows() -> None:
    rows = [
        replace(row(1, 2, LLM), attributes={"a": "ü", "b": [1, 2]}, events=(SpanEvent("e", 1, {"k": 1}),)),
        replace(root(1), links=(SpanLink("a" * 32, "b" * 16, {}),), resource={"service.name": "other"}),
    ]
    assert load_rows(dump_rows(rows)) == rows


def test_half_a_surrogate_pair_becomes_a_question_mark(connection: sqlite3.Connection) -> None:
    spans = load_rows(dump_rows([replace(row(1, 2, LLM), name="a\ud83db")]))
    write_spans(connection, spans)
    assert read_spans(connection, session_id(1))[0].name == "a?b"


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"format":1,"resources":[],"spans":[]}'])
def test_other_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"format of this version|Expecting value"):
        load_rows(body)


def test_a_history_resent_at_each_turn_is_stored_once(connection: sqlite3.Connection) -> None:
    history = []
    for turn in range(40):
        history.append(message(f"{turn}: " + "words " * 100))
        said = {"GEN_AI_INPUT_MESSAGES": json.dumps(history)}
        write_spans(connection, [row(1, 10 + turn, LLM, turn, **said)])
    assert count(connection, "texts") == 40
    assert count(connection, "fragments") == 40
    spans = read_spans(connection, session_id(1))
    assert json.loads(spans[-1].attributes[s.GEN_AI_INPUT_MESSAGES]) == history
    assert json.loads(spans[3].attributes[s.GEN_AI_INPUT_MESSAGES]) == history[:4]


def test_sessions_share_their_texts(connection: sqlite3.Connection) -> None:
    instructions = json.dumps([{"type": "text", "content": "be kind " * 100}])
    for number in range(1, 6):
        write_spans(connection, [row(number, 2, LLM, GEN_AI_SYSTEM_INSTRUCTIONS=instructions)])
    assert count(connection, "texts") == 1
    assert {read_spans(connection, session_id(n))[0].attributes[s.GEN_AI_SYSTEM_INSTRUCTIONS] for n in range(1, 6)} == {
        instructions
    }


def test_a_span_without_a_session_is_stored_too(connection: sqlite3.Connection) -> None:
    outside = row(7, 2, None, name="GET /", session=False, SENTRIAL_REASONING="x" * 1000)
    write_spans(connection, [outside])
    write_spans(connection, [outside])
    assert read_spans(connection, None) == [outside]
    assert list_sessions(connection) == []
    assert count(connection, "texts") == 0


def test_spans_are_grouped_by_session_and_not_by_trace(connection: sqlite3.Connection) -> None:
    mine, other = session_id(1), f"{session_id(1)[:32]}-{2:016x}"
    shared = replace(row(1, 5, TOOL), attributes={**row(1, 5, TOOL).attributes, s.SENTRIAL_SESSION_ID: other})
    from_elsewhere = replace(row(2, 6, TOOL), attributes={**row(2, 6, TOOL).attributes, s.SENTRIAL_SESSION_ID: mine})
    write_spans(connection, [root(1), shared, from_elsewhere])
    assert [span.span_id for span in read_spans(connection, mine)] == [f"{1:016x}", f"{6:016x}"]
    assert [span.span_id for span in read_spans(connection, other)] == [f"{5:016x}"]


def test_a_sub_agent_is_an_event_of_the_session_around_it(connection: sqlite3.Connection) -> None:
    inner = row(1, 2, SESSION, 1, 2, name="invoke_agent inner", GEN_AI_AGENT_NAME="inner", SENTRIAL_SESSION_OUTCOME="x")
    write_spans(connection, [inner])
    (found,) = list_sessions(connection)
    assert (found.status, found.events) == ("running", 1)
    write_spans(connection, [root(1)])
    session = read_session(connection, session_id(1))
    assert session is not None
    assert session.root is not None
    assert session.root.span_id == f"{1:016x}"
    assert [event.name for event in session.events] == ["invoke_agent inner"]


def test_a_batch_is_stored_as_a_whole_or_not_at_all(connection: sqlite3.Connection) -> None:
    broken = replace(row(2, 3, TOOL), name=None)  # type: ignore[arg-type]  # what no encoder of ours makes
    with pytest.raises(sqlite3.IntegrityError):
        write_spans(connection, [root(1), row(1, 2, TOOL), broken])
    assert [count(connection, table) for table in ("sessions", "spans", "texts", "fragments")] == [0, 0, 0, 0]
    assert write_spans(connection, [root(1)]) == 1


def test_row_ids_are_never_reused(connection: sqlite3.Connection) -> None:
    write_spans(connection, [root(1)])
    connection.execute("DELETE FROM spans")
    connection.execute("DELETE FROM sessions")
    write_spans(connection, [root(2)])
    (found,) = list_sessions(connection)
    assert found.row_id == 2
    assert connection.execute("SELECT row_id FROM spans").fetchall() == [(2,)]


def test_a_session_id_of_another_shape_is_a_session_all_the_same(connection: sqlite3.Connection) -> None:
    span = replace(row(1, 2, TOOL), attributes={s.SENTRIAL_SESSION_ID: "my session"})
    write_spans(connection, [span])
    (found,) = find_sessions(connection, "my")
    assert (found.session_id, found.trace_id, found.status) == ("my session", span.trace_id, "running")
