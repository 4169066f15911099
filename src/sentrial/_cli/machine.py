"""What a command prints for programs: JSON of plain letters, so that no terminal obeys it.

docs/local-store.md names the fields.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import sys
from collections.abc import Mapping
from typing import Any

from sentrial import semconv
from sentrial._cli.time_words import iso
from sentrial._store.read import Event, read_text
from sentrial._store.span_row import SpanRow, Value
from sentrial._store.summary import RUNNING, SessionSummary


def print_document(document: Mapping[str, Any]) -> None:
    """Print one document."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def print_line(document: Mapping[str, Any]) -> None:
    """Print one document on a line of its own, at once."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def session_fields(summary: SessionSummary) -> dict[str, Any]:
    """A session at a glance. What nobody knows is null; so is the end of one that is running."""
    is_running = summary.status == RUNNING
    return {
        "id": summary.session_id,
        "trace_id": summary.trace_id,
        "name": summary.name,
        "agent": summary.agent,
        "user": summary.user,
        "conversation": summary.conversation,
        "status": summary.status,
        "started": iso(summary.start_ns),
        "ended": None if is_running else iso(summary.end_ns),
        "duration_ms": None if is_running else _ms(summary.start_ns, summary.end_ns),
        "input_tokens": summary.input_tokens,
        "output_tokens": summary.output_tokens,
        "total_tokens": summary.total_tokens,
        "cost_usd": summary.cost,
        "llm_calls": summary.llm_calls,
        "tool_calls": summary.tool_calls,
        "decisions": summary.decisions,
        "errors": summary.errors,
        "events": summary.events,
        "failure_reason": summary.failure_reason,
    }


def span_fields(span: SpanRow) -> dict[str, Any]:
    """One event, or the session's own span, with all that was recorded."""
    kind = span.attributes.get(semconv.SENTRIAL_EVENT_TYPE)
    return {
        **_span(span, kind if isinstance(kind, str) else None, span.status_message),
        "attributes": _plain(span.attributes),
        "events": [
            {"name": each.name, "at": iso(each.time_ns), "attributes": _plain(each.attributes)} for each in span.events
        ],
        "links": [
            {"trace_id": each.trace_id, "id": each.span_id, "attributes": _plain(each.attributes)}
            for each in span.links
        ],
    }


def event_fields(connection: sqlite3.Connection, event: Event) -> dict[str, Any]:
    """One event as :func:`span_fields` has it, but for its events and links."""
    attributes = {key: _plain(read_text(connection, value)) for key, value in event.attributes.items()}
    return {**_span(event, event.event_type, event.skeleton.get("status_message")), "attributes": attributes}


def _span(span: SpanRow | Event, kind: str | None, message: str | None) -> dict[str, Any]:
    return {
        "id": span.span_id,
        "trace_id": span.trace_id,
        "parent_id": span.parent_span_id,
        "type": kind,
        "name": span.name,
        "started": iso(span.start_ns),
        "ended": iso(span.end_ns),
        "duration_ms": _ms(span.start_ns, span.end_ns),
        "status": span.status,
        "status_message": message,
    }


def _ms(start_ns: int, end_ns: int) -> float:
    return round((end_ns - start_ns) / 1e6, 3)


def _plain(value: Value) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(inner) for inner in value]
    return value
