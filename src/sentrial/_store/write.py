"""Writing a batch of spans: one transaction, in which each session's summary changes once."""

from __future__ import annotations

import dataclasses
import json
import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sentrial import semconv
from sentrial._store import owner
from sentrial._store.connection import transaction
from sentrial._store.span_row import Attributes, SpanRow, Value, to_json
from sentrial._store.summary import RUNNING, Opening, Tally, is_root, read_opening
from sentrial._store.texts import shorten

_SESSION_ID = re.compile(r"[0-9a-f]{32}-(?P<root>[0-9a-f]{16})")
_LARGEST = 2**63 - 1


def write_spans(connection: sqlite3.Connection, spans: Sequence[SpanRow]) -> int:
    """Store ``spans``; returns how many of them were new. A span stored before stays as it is.

    An open span, which is a session's own, makes its session known and is no span of the store yet.

    Raises:
        sqlite3.Error: nothing of the batch was stored.
    """
    with transaction(connection):
        return _write_all(connection, spans)


@dataclass(slots=True)
class _Held:
    """A session that the batch is about. ``opening`` and ``owner``: as in the store."""

    row_id: int
    tally: Tally
    opening: Opening | None = None
    owner: str | None = None


def _write_all(connection: sqlite3.Connection, spans: Sequence[SpanRow]) -> int:
    sessions: dict[str, _Held] = {}
    new = 0
    for given in spans:
        if _is_known(connection, given):
            continue
        new += not given.is_open
        span = _within_range(given)
        session_id = span.attributes.get(semconv.SENTRIAL_SESSION_ID)
        if not isinstance(session_id, str) or not session_id:
            if not span.is_open:
                _write_span(connection, None, span)
            continue
        if session_id not in sessions:
            sessions[session_id] = _session(connection, session_id, span)
        held = sessions[session_id]
        if span.is_open:
            if held.opening is None:
                held.opening, held.owner = read_opening(span), owner.own()
            continue
        _write_span(connection, held.row_id, span)
        held.tally.add(span, session_id)
        if is_root(span, session_id):
            connection.execute("UPDATE sessions SET trace_id = ? WHERE row_id = ?", (span.trace_id, held.row_id))
    heard_ns = time.time_ns()
    for held in sessions.values():
        _write_summary(connection, held, heard_ns)
    return new


def _session(connection: sqlite3.Connection, session_id: str, span: SpanRow) -> _Held:
    found = connection.execute(
        "SELECT row_id, tally, opening, owner FROM sessions WHERE session_id = ?", (session_id,)
    ).fetchone()
    if found is not None:
        row_id, tally, opening, owned_by = found
        return _Held(int(row_id), Tally(**json.loads(tally)), json.loads(opening) if opening else None, owned_by)
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
    return _Held(added.lastrowid, Tally())


def _write_summary(connection: sqlite3.Connection, held: _Held, heard_ns: int) -> None:
    columns: dict[str, Any] = {
        **held.tally.columns(held.opening),
        "tally": to_json(dataclasses.asdict(held.tally)),
        "opening": None if held.opening is None else to_json(held.opening),
        "heard_ns": heard_ns,
    }
    columns["owner"] = held.owner if columns["status"] == RUNNING else None
    changes = ", ".join(f"{name} = ?" for name in columns)
    connection.execute(f"UPDATE sessions SET {changes} WHERE row_id = ?", (*columns.values(), held.row_id))


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
            to_json(_skeleton(connection, session_row, span)),
        ),
    )


def _skeleton(connection: sqlite3.Connection, session_row: int | None, span: SpanRow) -> dict[str, Any]:
    def short(attributes: Attributes) -> dict[str, Value]:
        return shorten(connection, session_row, attributes)

    # The resource is one text, the same for all spans of a process; outside a session it stands in each span.
    resource = {"resource": to_json(span.resource)} if span.resource else {}
    skeleton = {
        "kind": span.kind,
        "status_message": span.status_message,
        "attributes": short(span.attributes),
        "events": [
            _trimmed(event.name, event.time_ns, short(event.attributes), event.dropped_attributes)
            for event in span.events
        ],
        "links": [
            _trimmed(
                link.trace_id,
                link.span_id,
                short(link.attributes),
                link.dropped_attributes,
                link.trace_state,
                link.is_remote,
            )
            for link in span.links
        ],
        "scope": _trimmed(
            span.scope_name, span.scope_version, short(span.scope_attributes), span.scope_schema_url, least=2
        ),
        "resource": short(resource),
        "resource_schema_url": span.resource_schema_url,
        "trace_state": span.trace_state,
        "has_remote_parent": span.has_remote_parent,
        "dropped": span.dropped if any(span.dropped) else None,
    }
    return {key: value for key, value in skeleton.items() if value}


def _trimmed(*fields: Any, least: int = 3) -> list[Any]:
    """``fields`` without what is empty at their end, beyond the first ``least``."""
    kept = list(fields)
    while len(kept) > least and not kept[-1]:
        kept.pop()
    return kept


def _within_range(span: SpanRow) -> SpanRow:
    """``span`` with times that fit a column: one absurd time may not cost the whole batch."""
    start = min(max(span.start_ns, 0), _LARGEST)
    end = min(max(span.end_ns, start), _LARGEST)
    if (start, end) == (span.start_ns, span.end_ns):
        return span
    return dataclasses.replace(span, start_ns=start, end_ns=end)
