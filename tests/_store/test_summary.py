"""One summary per session, whatever the order in which its spans arrive."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fixed_spans.maker import at
from fixed_spans.rows import DECISION, ERROR, LLM, SESSION, TOOL, root, row, session_id
from sentrial._store.connection import open_for_writing
from sentrial._store.read import list_sessions
from sentrial._store.span_row import SpanRow
from sentrial._store.summary import SessionSummary
from sentrial._store.write import write_spans


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_writing(tmp_path / "sessions.db", patience_s=5)
    yield connection
    connection.close()


def summary(connection: sqlite3.Connection, *batches: Iterable[SpanRow]) -> SessionSummary:
    for batch in batches:
        write_spans(connection, list(batch))
    (found,) = list_sessions(connection)
    return found


def events() -> list[SpanRow]:
    spent = {"GEN_AI_USAGE_INPUT_TOKENS": 100, "GEN_AI_USAGE_OUTPUT_TOKENS": 10, "SENTRIAL_ESTIMATED_COST": 0.1}
    user = {"USER_ID": "user-1", "GEN_AI_AGENT_NAME": "helper"}
    return [
        row(1, 2, LLM, 1, 2, **spent, **user),
        row(1, 3, TOOL, 2, 3, SENTRIAL_ESTIMATED_COST=0.2, **user),
        row(1, 4, DECISION, 3, 4, SENTRIAL_ESTIMATED_COST=0.3, SENTRIAL_USAGE_TOTAL_TOKENS=5, **user),
        row(1, 5, ERROR, 4, status="ERROR", **user),
        row(1, 6, SESSION, 5, 6, USER_ID="user-1", GEN_AI_AGENT_NAME="inner", GEN_AI_USAGE_INPUT_TOKENS=100),
    ]


def test_a_session_without_its_root_is_running_and_shows_the_sums_so_far(connection: sqlite3.Connection) -> None:
    assert summary(connection, events()) == SessionSummary(
        row_id=1,
        session_id=session_id(1),
        trace_id=session_id(1)[:32],
        name=None,
        agent="helper",
        user="user-1",
        conversation=None,
        status="running",
        start_ns=at(1),
        end_ns=at(6),
        input_tokens=100,
        output_tokens=10,
        total_tokens=115,
        cost=0.6,
        llm_calls=1,
        tool_calls=1,
        decisions=1,
        errors=1,
        events=5,
        failure_reason=None,
    )


def test_the_root_brings_its_own_totals(connection: sqlite3.Connection) -> None:
    ended = root(
        1,
        0.5,
        7,
        "failed",
        SENTRIAL_SESSION_NAME="refund",
        GEN_AI_CONVERSATION_ID="conv-1",
        GEN_AI_USAGE_INPUT_TOKENS=1000,
        GEN_AI_USAGE_OUTPUT_TOKENS=50,
        SENTRIAL_ESTIMATED_COST=9.5,
        SENTRIAL_SESSION_LLM_CALLS=7,
        SENTRIAL_SESSION_ERRORS=2,
        SENTRIAL_SESSION_FAILURE_REASON="no money",
    )
    found = summary(connection, events(), [ended])
    assert (found.name, found.agent, found.user, found.conversation) == ("refund", "helper", None, "conv-1")
    assert (found.status, found.failure_reason, found.start_ns, found.end_ns) == ("failed", "no money", at(0.5), at(7))
    assert (found.input_tokens, found.output_tokens, found.total_tokens, found.cost) == (1000, 50, 1050, 9.5)
    assert (found.llm_calls, found.errors) == (7, 2)
    assert (found.tool_calls, found.decisions) == (1, 1), "what the root does not say is the sum"


@pytest.mark.parametrize("outcome", ["completed", "failed", "cancelled", "paused", "abandoned", "continued"])
def test_the_status_is_the_roots_outcome(connection: sqlite3.Connection, outcome: str) -> None:
    assert summary(connection, [root(1, outcome=outcome)]).status == outcome


def test_every_order_of_arrival_gives_the_same_summary(tmp_path: Path) -> None:
    completed = row(1, 9, SESSION, 8, 9, name="session completed", SENTRIAL_SESSION_OUTCOME="failed")
    spans = [*events()[:4], completed, root(1, USER_ID="user-1")]
    found = set()
    for place, order in enumerate(itertools.permutations(spans)):
        if place % 31:
            continue
        found.add(replace(arriving(tmp_path / f"{place}.db", order), row_id=0))
    assert len(found) == 1
    assert found.pop().cost == 0.6


def arriving(path: Path, order: Sequence[SpanRow]) -> SessionSummary:
    connection = open_for_writing(path, patience_s=5)
    connection.execute("PRAGMA synchronous = OFF")
    # Two batches, so that the summary is taken up again from the file in between; everything arrives twice.
    write_spans(connection, order[:3])
    write_spans(connection, [*order, *order])
    (found,) = list_sessions(connection)
    connection.close()
    return found


def test_a_span_that_comes_twice_counts_once(connection: sqlite3.Connection) -> None:
    once = summary(connection, events(), [root(1)])
    assert write_spans(connection, [*events(), root(1)]) == 0
    assert summary(connection, events(), events()) == once


def test_costs_add_up_the_same_in_any_order(connection: sqlite3.Connection) -> None:
    costs = [0.1, 0.2, 0.3, 1e-7, 5e-9]
    for number, order in ((1, costs), (2, costs[::-1])):
        spans = [row(number, 2 + place, TOOL, SENTRIAL_ESTIMATED_COST=cost) for place, cost in enumerate(order)]
        write_spans(connection, spans)
    assert {each.cost for each in list_sessions(connection)} == {0.600000105}


def test_a_late_event_counts_but_does_not_reopen_or_prolong_the_session(connection: sqlite3.Connection) -> None:
    found = summary(connection, [root(1, 0, 10)], [row(1, 7, TOOL, 20, 21, SENTRIAL_LATE=True)])
    assert (found.status, found.end_ns, found.events, found.tool_calls) == ("completed", at(10), 1, 1)


def test_another_process_completes_a_session(connection: sqlite3.Connection) -> None:
    completed = row(
        1, 9, SESSION, 20, 20, name="session completed", SENTRIAL_SESSION_OUTCOME="completed",
        SENTRIAL_ESTIMATED_COST=0.5, SENTRIAL_USAGE_INPUT_TOKENS=7, SENTRIAL_USAGE_OUTPUT_TOKENS=5,
    )  # fmt: skip
    continued = root(1, 0, 10, "continued", SENTRIAL_ESTIMATED_COST=0.1, SENTRIAL_SESSION_NAME="handed on")
    found = summary(connection, [completed])
    assert (found.status, found.cost) == ("completed", 0.5)
    assert (found.input_tokens, found.output_tokens, found.total_tokens) == (7, 5, 12)
    found = summary(connection, [continued])
    assert (found.status, found.cost, found.end_ns, found.name) == ("completed", 0.5, at(20), "handed on")


def test_nothing_known_stays_unknown(connection: sqlite3.Connection) -> None:
    found = summary(connection, [root(1)])
    assert (found.input_tokens, found.output_tokens, found.total_tokens, found.cost) == (None, None, None, None)


def test_absurd_numbers_are_left_out_and_cost_no_batch(connection: sqlite3.Connection) -> None:
    spans = [
        row(1, 2, LLM, GEN_AI_USAGE_INPUT_TOKENS=2**70, SENTRIAL_ESTIMATED_COST=1e300),
        row(1, 3, LLM, GEN_AI_USAGE_INPUT_TOKENS="many", SENTRIAL_ESTIMATED_COST=float("inf")),
        row(1, 4, LLM, GEN_AI_USAGE_INPUT_TOKENS=True, SENTRIAL_ESTIMATED_COST=float("nan")),
        replace(row(1, 5, LLM, GEN_AI_USAGE_INPUT_TOKENS=3), start_ns=-5, end_ns=2**80),
    ]
    found = summary(connection, spans)
    assert (found.input_tokens, found.cost, found.start_ns, found.end_ns) == (3, None, 0, 2**63 - 1)
