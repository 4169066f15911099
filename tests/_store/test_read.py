"""Finding sessions, and a session as the tree of its events."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixed_spans.maker import at
from fixed_spans.rows import LLM, TOOL, root, row, session_id
from sentrial import semconv as s
from sentrial._store.connection import open_for_writing
from sentrial._store.read import (
    Event,
    find_sessions,
    list_sessions,
    read_last_message,
    read_session,
    read_text,
    short_ids,
)
from sentrial._store.session_filter import SessionFilter
from sentrial._store.write import write_spans


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_writing(tmp_path / "sessions.db", patience_s=5)
    yield connection
    connection.close()


@pytest.fixture
def twelve(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Sessions 1 to 12, a second apart, of three agents, two users, and with two outcomes."""
    for number in range(1, 13):
        outcome = "failed" if number % 4 == 0 else "completed"
        said = {"GEN_AI_AGENT_NAME": f"agent-{number % 3}", "USER_ID": f"user-{number % 2}"}
        write_spans(connection, [root(number, number, number + 1, outcome, **said)])
    return connection


def names(events: list[Event]) -> list[Any]:
    return [[event.name, names(event.children)] if event.children else event.name for event in events]


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ({"limit": 3}, [12, 11, 10]),
        ({"agent": "agent-1"}, [10, 7, 4, 1]),
        ({"user": "user-1", "limit": 2}, [11, 9]),
        ({"status": "failed"}, [12, 8, 4]),
        ({"since_ns": at(11)}, [12, 11]),
        ({"until_ns": at(2)}, [2, 1]),
        ({"since_ns": at(3), "until_ns": at(9), "status": "failed"}, [8, 4]),
        ({"agent": "agent-0", "user": "user-0"}, [12, 6]),
        ({"agent": "agent-0", "status": "failed"}, [12]),
        ({"agent": "agent-0", "user": "user-0", "status": "completed", "since_ns": at(6)}, [6]),
        ({"user": "nobody"}, []),
    ],
)
def test_sessions_are_listed_newest_first_by_any_filter(
    twelve: sqlite3.Connection, filters: dict[str, Any], numbers: list[int]
) -> None:
    limit = filters.pop("limit", 50)
    found = list_sessions(twelve, SessionFilter(**filters), limit=limit)
    assert [each.session_id for each in found] == [session_id(n) for n in numbers]


@pytest.mark.parametrize(
    "filters",
    [
        {"agent": "a"},
        {"user": "u"},
        {"status": "failed"},
        {"since_ns": 5},
        {"until_ns": 5},
        {"agent": "a", "status": "failed"},
        {"agent": "a", "user": "u", "status": "failed", "since_ns": 5},
        {},
    ],
)
def test_every_list_is_read_from_an_index_in_its_order(twelve: sqlite3.Connection, filters: dict[str, Any]) -> None:
    said: list[str] = []
    twelve.set_trace_callback(said.append)
    list_sessions(twelve, SessionFilter(**filters))
    twelve.set_trace_callback(None)
    plan = [step[3] for step in twelve.execute(f"EXPLAIN QUERY PLAN {said[0]}")]
    chosen = next((column for column in ("user", "agent", "status") if column in filters), "start")
    inner = [step for step in plan if "COVERING INDEX" in step]
    assert len(inner) == 1
    assert f"sessions_by_{chosen}" in inner[0]
    # The one sort left is that of the rows found, which are no more than the limit.
    assert [step for step in plan if "TEMP B-TREE" in step] == ["USE TEMP B-TREE FOR ORDER BY"]
    assert not any(step.startswith("SCAN") and "COVERING" not in step for step in plan)


def test_a_session_is_found_by_the_start_of_either_part_of_its_id(connection: sqlite3.Connection) -> None:
    spans = [
        replace(root(1), trace_id="aaaa" + "0" * 28, span_id="1234567890abcdef"),
        replace(root(2, 1), trace_id="aabb" + "0" * 28, span_id="abcdef1234567890"),
    ]
    ids = [f"{span.trace_id}-{span.span_id}" for span in spans]
    for span, name in zip(spans, ids, strict=True):
        write_spans(connection, [replace(span, attributes={**span.attributes, s.SENTRIAL_SESSION_ID: name})])

    def found(prefix: str) -> list[str]:
        return [each.session_id for each in find_sessions(connection, prefix)]

    assert found("aaaa") == [ids[0]]
    assert found(ids[1]) == [ids[1]]
    assert found("aa") == [ids[1], ids[0]]
    assert found("abcdef12") == [ids[1]]
    assert found("b") == []
    assert found("%") == []
    assert find_sessions(connection, "aa", limit=1)[0].session_id == ids[1]


def test_a_short_id_is_as_long_as_it_takes_to_find_the_session_alone(connection: sqlite3.Connection) -> None:
    traces = ["11111111" + "0" * 24, "11111111f" + "0" * 23, "22222222" + "0" * 24]
    for place, trace in enumerate(traces):
        name = f"{trace}-{1:016x}"
        span = replace(root(1, place), trace_id=trace)
        write_spans(connection, [replace(span, attributes={**span.attributes, s.SENTRIAL_SESSION_ID: name})])
    listed = list_sessions(connection)
    ids = short_ids(connection, listed)
    assert ids == ["22222222", "11111111f", "111111110"]
    assert [find_sessions(connection, each) for each in ids] == [[each] for each in listed]


def test_sessions_that_share_a_trace_go_by_the_other_part_of_their_ids(connection: sqlite3.Connection) -> None:
    for place, span_id in enumerate(("a" * 16, "b" * 16)):
        span = replace(root(1, place), span_id=span_id)
        name = f"{span.trace_id}-{span_id}"
        write_spans(connection, [replace(span, attributes={**span.attributes, s.SENTRIAL_SESSION_ID: name})])
    listed = list_sessions(connection)
    assert short_ids(connection, listed) == ["b" * 16, "a" * 16]
    assert find_sessions(connection, "b" * 8) == [listed[0]]


def test_events_hang_under_their_parents_by_start(connection: sqlite3.Connection) -> None:
    write_spans(
        connection,
        [
            row(1, 6, TOOL, 5, name="second of the tool", parent=3),
            row(1, 5, TOOL, 4, name="first of the tool", parent=3),
            row(1, 4, LLM, 9, name="last"),
            row(1, 3, TOOL, 3, name="tool"),
            row(1, 7, TOOL, 1, name="parent unknown", parent=99),
            root(1),
        ],
    )
    session = read_session(connection, session_id(1))
    assert session is not None
    assert names(session.events) == [
        "parent unknown",
        ["tool", ["first of the tool", "second of the tool"]],
        "last",
    ]
    assert read_session(connection, session_id(2)) is None


def test_a_tree_without_its_root_is_shown_all_the_same(connection: sqlite3.Connection) -> None:
    write_spans(connection, [row(1, 3, TOOL, 3, name="outer"), row(1, 4, TOOL, 4, name="inner", parent=3)])
    session = read_session(connection, session_id(1))
    assert session is not None
    assert session.root is None
    assert names(session.events) == [["outer", ["inner"]]]


def test_a_ring_of_parents_loses_no_event(connection: sqlite3.Connection) -> None:
    ring = [row(1, 10 + place, TOOL, place, name=f"r{place}", parent=10 + (place + 1) % 3) for place in range(3)]
    own = row(1, 20, TOOL, 7, name="its own parent", parent=20)
    write_spans(connection, [root(1), *ring, own, row(1, 21, TOOL, 8, name="below the ring", parent=11)])
    session = read_session(connection, session_id(1))
    assert session is not None
    assert names(session.events) == [["r0", [["r2", [["r1", ["below the ring"]]]]]], "its own parent"]


def test_a_tree_of_any_depth_is_read(connection: sqlite3.Connection) -> None:
    write_spans(connection, [row(1, 2 + depth, TOOL, depth, parent=1 + depth) for depth in range(3_000)])
    session = read_session(connection, session_id(1))
    assert session is not None
    depth, level = 0, session.events
    while level:
        depth, level = depth + 1, level[0].children
    assert depth == 3_000


@pytest.mark.parametrize("size", [10, 1000])
def test_the_last_message_is_read_without_the_history(connection: sqlite3.Connection, size: int) -> None:
    messages = '[{"role":"user","parts":[]},{"role":"tool","parts":[]},{"role":"user","parts":"' + "x" * size + '"}]'
    write_spans(connection, [row(1, 2, LLM, GEN_AI_INPUT_MESSAGES=messages)])
    session = read_session(connection, session_id(1))
    assert session is not None
    value = session.events[0].attributes[s.GEN_AI_INPUT_MESSAGES]
    assert isinstance(value, str) == (size == 10)
    assert read_last_message(connection, value) == ({"role": "user", "parts": "x" * size}, 2)
    assert read_text(connection, value) == messages


@pytest.mark.parametrize("value", [None, "no json", "[]", "{}", 5, '"text"', {"items": 999, "comma": ","}])
def test_what_is_no_list_has_no_last_message(connection: sqlite3.Connection, value: Any) -> None:
    assert read_last_message(connection, value) == (None, 0)


def test_a_text_that_is_gone_says_so(connection: sqlite3.Connection) -> None:
    assert read_text(connection, {"text": 5}) == "[removed from the store]"
    assert read_text(connection, {"items": 5, "comma": ","}) == "[removed from the store]"
