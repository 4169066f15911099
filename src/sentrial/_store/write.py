"""Writing a batch of spans: one transaction, in which each session's summary changes once."""

from __future__ import annotations

import dataclasses
import json
import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from sentrial import semconv
from sentrial._store.connection import transaction
from sentrial._store.span_row import SpanRow
from sentrial._store.summary import Tally, is_root
from sentrial._store.texts import shorten

_SESSION_ID = re.compile(r"[0-9a-f]{32}-(?P<root>[0-9a-f]{16})")
_LARGEST = 2**63 - 1


def write_spans(connection: sqlite3.Connection, spans: Sequence[SpanRow]) -> int:
    """Store ``spans``; returns how many of them were new. A span stored before stays as it is.

    Raises:
        sqlite3.Error: nothing of the batch was stored.
    """
    with transaction(connection):
        return _write_all(connection, spans)


def _write_all(connection: sqlite3.Connection, spans: Sequence[SpanRow]) -> int:
    sessions: dict[str, tuple[int, Tally]] = {}
    new = 0
    for given in spans:
        if _is_known(connection, given):
            continue
        new += 1
        span = _within_range(given)
        session_id = span.attributes.get(semconv.SENTRIAL_SESSION_ID)
        if not isinstance(session_id, str) or not session_id:
            _write_span(connection, None, span)
            continue
        if session_id not in sessions:
            sessions[session_id] = _session(connection, session_id, span)
        session_row, tally = sessions[session_id]
        _write_span(connection, session_row, span)
        tally.add(span, session_id)
        if is_root(span, session_id):
            connection.execute("UPDATE sessions SET trace_id = ? WHERE row_id = ?", (span.trace_id, session_row))
    for session_row, tally in sessions.values():
        _write_summary(connection, session_row, tally)
    return new


def _session(connection: sqlite3.Connection, session_id: str, span: SpanRow) -> tuple[int, Tally]:
    found = connection.execute("SELECT row_id, tally FROM sessions WHERE session_id = ?", (session_id,)).fetchone()
    if found is not None:
        return int(found[0]), Tally(**json.loads(found[1]))
    usual = _SESSION_ID.fullmatch(session_id)
    row = {
        "session_id": session_id,
        "trace_id": session_id.partition("-")[0] if usual else span.trace_id,
        "root_span_id": usual["root"] if usual else None,
        "tally": "",
        **Tally().columns(),
    }
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    added = connection.execute(f"INSERT INTO sessions ({names}) VALUES ({marks})", tuple(row.values()))
    if added.lastrowid is None:
        raise sqlite3.DatabaseError("an inserted row has no id")
    return added.lastrowid, Tally()


def _write_summary(connection: sqlite3.Connection, session_row: int, tally: Tally) -> None:
    columns: dict[str, Any] = {**tally.columns(), "tally": _json(dataclasses.asdict(tally))}
    changes = ", ".join(f"{name} = ?" for name in columns)
    connection.execute(f"UPDATE sessions SET {changes} WHERE row_id = ?", (*columns.values(), session_row))


def _identity(span: SpanRow) -> tuple[bytes, bytes]:
    return bytes.fromhex(span.trace_id), bytes.fromhex(span.span_id)


def _is_known(connection: sqlite3.Connection, span: SpanRow) -> bool:
    found = connection.execute("SELECT 1 FROM spans WHERE trace_id = ? AND span_id = ?", _identity(span))
    return found.fetchone() is not None


def _write_span(connection: sqlite3.Connection, session_row: int | None, span: SpanRow) -> None:
    event_type = span.attributes.get(semconv.SENTRIAL_EVENT_TYPE)
    connection.execute(
        "INSERT INTO spans (session_row, trace_id, span_id, parent_span_id, event_type, name, start_ns, end_ns,"
        " status, skeleton) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            session_row,
            *_identity(span),
            bytes.fromhex(span.parent_span_id) if span.parent_span_id else None,
            event_type if isinstance(event_type, str) else None,
            span.name,
            span.start_ns,
            span.end_ns,
            span.status,
            _json(_skeleton(connection, session_row, span)),
        ),
    )


def _skeleton(connection: sqlite3.Connection, session_row: int | None, span: SpanRow) -> dict[str, Any]:
    # The resource is one text, the same for all spans of a process; outside a session it stands in each span.
    resource = {"resource": _json(span.resource)} if span.resource else {}
    skeleton = {
        "kind": span.kind,
        "status_message": span.status_message,
        "attributes": shorten(connection, session_row, span.attributes),
        "events": [
            [event.name, event.time_ns, shorten(connection, session_row, event.attributes)] for event in span.events
        ],
        "links": [
            [link.trace_id, link.span_id, shorten(connection, session_row, link.attributes)] for link in span.links
        ],
        "scope": [span.scope_name, span.scope_version],
        "resource": shorten(connection, session_row, resource),
    }
    return {key: value for key, value in skeleton.items() if value}


def _within_range(span: SpanRow) -> SpanRow:
    """``span`` with times that fit a column: one absurd time may not cost the whole batch."""
    start = min(max(span.start_ns, 0), _LARGEST)
    end = min(max(span.end_ns, start), _LARGEST)
    if (start, end) == (span.start_ns, span.end_ns):
        return span
    return dataclasses.replace(span, start_ns=start, end_ns=end)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
