"""A session is in the store from its start on, and one session only after its end."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixed_spans.maker import at
from fixed_spans.rows import LLM, TOOL, root, row, session_id, trace_id
from sentrial._store import owner
from sentrial._store.connection import open_for_writing
from sentrial._store.read import list_sessions, read_session, read_spans
from sentrial._store.span_row import SpanRow, dump_rows, load_rows
from sentrial._store.summary import SessionSummary
from sentrial._store.write import write_spans

SPENT = {"GEN_AI_USAGE_INPUT_TOKENS": 100, "GEN_AI_USAGE_OUTPUT_TOKENS": 10, "SENTRIAL_ESTIMATED_COST": 0.5}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_writing(tmp_path / "sessions.db", patience_s=5)
    yield connection
    connection.close()


def opened(number: int, begin: float = 0.0) -> SpanRow:
    """The start of a session: what is known of its own span before it ends."""
    said = {"SENTRIAL_SESSION_NAME": "refund", "USER_ID": "user-1", "GEN_AI_CONVERSATION_ID": "conv-1"}
    whole = root(number, begin, **said)
    attributes = {key: value for key, value in whole.attributes.items() if "outcome" not in key}
    return replace(whole, end_ns=whole.start_ns, attributes=attributes, is_open=True)


def only(connection: sqlite3.Connection) -> SessionSummary:
    (found,) = list_sessions(connection)
    return found


def test_the_start_alone_makes_a_running_session(connection: sqlite3.Connection) -> None:
    assert write_spans(connection, [opened(1)]) == 0
    assert only(connection) == SessionSummary(
        row_id=1,
        session_id=session_id(1),
        trace_id=trace_id(1),
        name="refund",
        agent="helper",
        user="user-1",
        conversation="conv-1",
        status="running",
        start_ns=at(0),
        end_ns=at(0),
        input_tokens=None,
        output_tokens=None,
        total_tokens=None,
        cost=None,
        llm_calls=0,
        tool_calls=0,
        decisions=0,
        errors=0,
        events=0,
        failure_reason=None,
        owner=owner.own(),
    )
    session = read_session(connection, session_id(1))
    assert session is not None
    assert (session.root, session.events) == (None, [])
    assert read_spans(connection, session_id(1)) == []


def test_while_it_runs_it_has_the_totals_so_far(connection: sqlite3.Connection) -> None:
    write_spans(connection, [opened(1)])
    write_spans(connection, [row(1, 2, LLM, 1, 2, **SPENT), row(1, 3, TOOL, 2, 3, GEN_AI_AGENT_NAME="inner")])
    found = only(connection)
    assert (found.status, found.agent, found.name, found.events) == ("running", "helper", "refund", 2)
    assert (found.input_tokens, found.total_tokens, found.cost) == (100, 110, 0.5)
    assert (found.start_ns, found.end_ns) == (at(0), at(3))


def test_after_its_end_the_totals_are_those_of_its_own_span(connection: sqlite3.Connection) -> None:
    write_spans(connection, [opened(1)])
    write_spans(connection, [row(1, 2, LLM, 1, 2, **SPENT)])
    write_spans(connection, [root(1, 0, 9, "completed", SENTRIAL_SESSION_LLM_CALLS=1, **SPENT)])
    found = only(connection)
    assert (found.status, found.owner, found.events, found.llm_calls) == ("completed", None, 1, 1)
    assert (found.input_tokens, found.total_tokens, found.cost) == (100, 110, 0.5)
    assert [span.name for span in read_spans(connection, session_id(1))] == ["invoke_agent helper", "span"]


def test_the_order_in_which_start_events_and_end_arrive_makes_no_difference(tmp_path: Path) -> None:
    spans = [opened(1), row(1, 2, LLM, 1, 2, **SPENT), root(1, 0, 9, "failed", SENTRIAL_SESSION_NAME="refund")]
    found = set()
    for number, order in enumerate(itertools.permutations([*spans, opened(1)])):
        connection = open_for_writing(tmp_path / f"{number}.db", patience_s=5)
        for span in order:
            write_spans(connection, [span])
        found.add(only(connection))
        connection.close()
    assert len(found) == 1
    assert found.pop().status == "failed"


def test_a_start_and_an_end_in_one_batch_are_one_session(connection: sqlite3.Connection) -> None:
    assert write_spans(connection, [opened(1), opened(1), root(1, 0, 9)]) == 1
    assert (only(connection).status, only(connection).owner) == ("completed", None)


def test_completed_by_another_process_it_keeps_what_its_start_said(connection: sqlite3.Connection) -> None:
    write_spans(connection, [opened(1)])
    ended = row(1, 7, "session", 20, 20, name="session completed", SENTRIAL_SESSION_OUTCOME="completed")
    write_spans(connection, [ended])
    found = only(connection)
    assert (found.status, found.agent, found.user, found.start_ns, found.end_ns, found.owner) == (
        "completed",
        "helper",
        "user-1",
        at(0),
        at(20),
        None,
    )


def test_an_open_span_outside_a_session_is_nothing(connection: sqlite3.Connection) -> None:
    assert write_spans(connection, [replace(row(1, 2, None, session=False), is_open=True)]) == 0
    assert list_sessions(connection) == []
    assert read_spans(connection, None) == []


def test_an_open_span_stays_open_on_its_way() -> None:
    assert load_rows(dump_rows([opened(1), root(2)])) == [opened(1), root(2)]
