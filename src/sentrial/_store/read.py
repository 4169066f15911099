"""Reading the store: sessions by filter or by id, and one session as the tree of its events."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sentrial._store.session_filter import EVERY, SessionFilter
from sentrial._store.span_row import Attributes, SpanEvent, SpanLink, SpanRow, Value, from_json
from sentrial._store.summary import SessionSummary
from sentrial._store.texts import resolve, resolve_last_item

_SUMMARY = ", ".join(each.name for each in dataclasses.fields(SessionSummary))
SPAN_COLUMNS = "trace_id, span_id, parent_span_id, event_type, name, start_ns, end_ns, status, skeleton"
_AT_ONCE = 500
# No character sorts after it, so it ends the range of the strings that start alike.
_LAST_CHARACTER = "\U0010ffff"


# Not frozen: thousands are made at once, and a frozen one takes three times as long to fill.
@dataclass(slots=True, eq=False)
class Event:
    """One span of a session, with the events inside it by start time.

    Long texts are not loaded: ``skeleton`` is resolved attribute by attribute through :func:`read_text`.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    event_type: str | None
    name: str
    start_ns: int
    end_ns: int
    status: str
    skeleton: dict[str, Any]
    children: list[Event] = field(default_factory=list)

    @property
    def attributes(self) -> dict[str, Value]:
        """The attributes, with references in place of long texts."""
        return self.skeleton.get("attributes") or {}


@dataclass(frozen=True, slots=True)
class Session:
    """One session: its summary, its own span where that has arrived, and the events at the first level."""

    summary: SessionSummary
    root: Event | None
    events: list[Event]


def list_sessions(
    connection: sqlite3.Connection, wanted: SessionFilter = EVERY, *, limit: int | None = 50
) -> list[SessionSummary]:
    """The newest ``limit`` sessions that match, newest first; ``None``: all of them."""
    where, values = wanted.where()
    # The inner query reads an index alone, also where it skips sessions that another filter excludes.
    rows = connection.execute(
        f"SELECT {_SUMMARY} FROM sessions WHERE row_id IN"
        f" (SELECT row_id FROM sessions WHERE {where} ORDER BY start_ns DESC, row_id DESC LIMIT ?)"
        " ORDER BY start_ns DESC, row_id DESC",
        (*values, -1 if limit is None else limit),
    )
    return [SessionSummary(*row) for row in rows]


def has_spans_outside_sessions(connection: sqlite3.Connection) -> bool:
    """Whether spans are kept that belong to no session."""
    return connection.execute("SELECT 1 FROM spans WHERE session_row IS NULL LIMIT 1").fetchone() is not None


def read_summaries(connection: sqlite3.Connection, session_rows: Sequence[int]) -> list[SessionSummary]:
    """The sessions of those rows that are still there, newest first."""
    found: list[SessionSummary] = []
    for start in range(0, len(session_rows), _AT_ONCE):
        some = session_rows[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = connection.execute(f"SELECT {_SUMMARY} FROM sessions WHERE row_id IN ({marks})", some)
        found.extend(SessionSummary(*row) for row in rows)
    return sorted(found, key=lambda each: (each.start_ns, each.row_id), reverse=True)


def find_sessions(connection: sqlite3.Connection, prefix: str, limit: int = 10) -> list[SessionSummary]:
    """Up to ``limit`` sessions whose id, or the part of it after the hyphen, starts with ``prefix``; newest first."""
    found = connection.execute(
        f"SELECT {_SUMMARY} FROM sessions WHERE session_id >= :low AND session_id < :high"
        f" UNION SELECT {_SUMMARY} FROM sessions WHERE root_span_id >= :low AND root_span_id < :high"
        " ORDER BY start_ns DESC, row_id DESC LIMIT :limit",
        {"low": prefix, "high": prefix + _LAST_CHARACTER, "limit": limit},
    )
    sessions = [SessionSummary(*row) for row in found]
    return [each for each in sessions if each.session_id == prefix] or sessions


def short_ids(connection: sqlite3.Connection, sessions: Sequence[SessionSummary], length: int = 8) -> list[str]:
    """For each session the shortest start of its id that finds it alone: ``length`` characters or a few more.

    Where several sessions share a trace, and so the first part of their ids, it is the part after the hyphen.
    """
    return [_short_id(connection, each.session_id, length) for each in sessions]


def read_session(connection: sqlite3.Connection, session_id: str) -> Session | None:
    """The session with its tree of events; None where there is no such session."""
    row = connection.execute(f"SELECT {_SUMMARY} FROM sessions WHERE session_id = ?", (session_id,)).fetchone()
    if row is None:
        return None
    summary = SessionSummary(*row)
    rows = connection.execute(
        f"SELECT {SPAN_COLUMNS} FROM spans WHERE session_row = ? ORDER BY start_ns, row_id", (summary.row_id,)
    ).fetchall()
    # Parsed as one text: twice as fast as thousands of small ones, and each key is one string in memory.
    skeletons = json.loads(f"[{','.join(row[-1] for row in rows)}]")
    events = [build_event(row, skeleton) for row, skeleton in zip(rows, skeletons, strict=True)]
    root = next((each for each in events if f"{each.trace_id}-{each.span_id}" == session_id), None)
    return Session(summary, root, _tree(events, root))


def read_text(connection: sqlite3.Connection, value: Value) -> Value:
    """An attribute of a skeleton with the text that a reference in it stands for."""
    return resolve(connection, value)


def read_last_message(connection: sqlite3.Connection, value: Value) -> tuple[Any, int]:
    """The last message of a list of messages, parsed, and how many stand before it; (None, 0) if it is no list."""
    return resolve_last_item(connection, value)


def read_spans(connection: sqlite3.Connection, session_id: str | None) -> list[SpanRow]:
    """The spans of a session as they were written, by start time; None: the spans outside every session."""
    if session_id is None:
        rows = connection.execute(f"SELECT {_SPAN} FROM spans WHERE session_row IS NULL ORDER BY start_ns, row_id")
    else:
        rows = connection.execute(
            f"SELECT {_SPAN} FROM spans WHERE session_row = (SELECT row_id FROM sessions WHERE session_id = ?)"
            " ORDER BY start_ns, row_id",
            (session_id,),
        )
    return [_span(connection, row) for row in rows.fetchall()]


_SPAN = "trace_id, span_id, parent_span_id, name, start_ns, end_ns, status, skeleton"


def _span(connection: sqlite3.Connection, row: Sequence[Any]) -> SpanRow:
    trace_id, span_id, parent, name, start_ns, end_ns, status, text = row
    skeleton = json.loads(text)
    scope_name, scope_version, scope_attributes, scope_schema_url = _padded(skeleton.get("scope", ()), "", "", {}, "")
    resource = resolve(connection, skeleton.get("resource", {}).get("resource", "{}"))

    def resolved(attributes: Attributes) -> dict[str, Value]:
        return {key: resolve(connection, value) for key, value in attributes.items()}

    return SpanRow(
        trace_id.hex(),
        span_id.hex(),
        parent.hex() if parent else None,
        name,
        start_ns,
        end_ns,
        skeleton.get("kind", ""),
        status,
        skeleton.get("status_message"),
        resolved(skeleton.get("attributes", {})),
        tuple(
            SpanEvent(name, ns, resolved(said), dropped)
            for name, ns, said, dropped in (_padded(event, "", 0, {}, 0) for event in skeleton.get("events", ()))
        ),
        tuple(SpanLink(trace, span, resolved(said), *rest) for trace, span, said, *rest in skeleton.get("links", ())),
        scope_name,
        scope_version,
        from_json(json.loads(resource)),
        resolved(scope_attributes),
        scope_schema_url,
        skeleton.get("resource_schema_url", ""),
        skeleton.get("trace_state", ""),
        skeleton.get("has_remote_parent", False),
        tuple(skeleton.get("dropped", (0, 0, 0))),
    )


def _padded(fields: Sequence[Any], *defaults: Any) -> tuple[Any, ...]:
    return (*fields, *defaults[len(fields) :])


def build_event(row: Sequence[Any], skeleton: dict[str, Any]) -> Event:
    """The event of a row with :data:`SPAN_COLUMNS`."""
    trace_id, span_id, parent, event_type, name, start_ns, end_ns, status, _ = row
    return Event(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        parent_span_id=parent.hex() if parent else None,
        event_type=event_type,
        name=name,
        start_ns=start_ns,
        end_ns=end_ns,
        status=status,
        skeleton=skeleton,
    )


def _tree(events: list[Event], root: Event | None) -> list[Event]:
    """Hang each event under its parent; those whose parent is the root or unknown stand at the first level."""
    by_id = {(each.trace_id, each.span_id): each for each in events}
    first_level: list[Event] = []
    for each in events:
        if each is root:
            continue
        parent = by_id.get((each.trace_id, each.parent_span_id or ""))
        (first_level if parent is None or parent is root else parent.children).append(each)
    # Damaged ids may make a ring, which hangs under nothing: it is opened at its earliest event.
    reached = {id(each) for each in _below(first_level)}
    for each in events:
        if each is not root and id(each) not in reached:
            parent = by_id[each.trace_id, each.parent_span_id or ""]
            parent.children.remove(each)
            first_level.append(each)
            reached.update(id(inside) for inside in _below([each]))
    return sorted(first_level, key=lambda each: each.start_ns)


def _below(events: list[Event]) -> Iterator[Event]:
    waiting = list(events)
    while waiting:
        event = waiting.pop()
        yield event
        waiting.extend(event.children)


def _short_id(connection: sqlite3.Connection, session_id: str, length: int) -> str:
    neighbours = connection.execute(
        "SELECT (SELECT max(session_id) FROM sessions WHERE session_id < :own),"
        " (SELECT min(session_id) FROM sessions WHERE session_id > :own)",
        {"own": session_id},
    ).fetchone()
    shared = max((_shared(session_id, each) for each in neighbours if each), default=0)
    trace_id, _, root_span_id = session_id.partition("-")
    if shared >= len(trace_id) and root_span_id:
        return root_span_id
    return session_id[: max(length, shared + 1)]


def _shared(one: str, other: str) -> int:
    return next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
