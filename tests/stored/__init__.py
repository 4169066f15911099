"""What programs left in a local store, as sessions with their trees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentrial._store.connection import open_for_reading
from sentrial._store.read import list_sessions, read_spans
from sentrial._store.span_row import SpanRow
from sentrial._store.summary import SessionSummary


@dataclass(frozen=True)
class Stored:
    """One session of a store, with all its spans by start time."""

    summary: SessionSummary
    spans: list[SpanRow]

    @property
    def root(self) -> SpanRow:
        """The session's own span."""
        (root,) = (span for span in self.spans if f"{span.trace_id}-{span.span_id}" == self.summary.session_id)
        return root

    @property
    def outline(self) -> list[str]:
        """The names of the spans, each below its parent and indented by two spaces more."""
        return list(self._outline(None, ""))

    def _outline(self, parent: str | None, indent: str) -> Iterator[str]:
        for span in self.spans:
            if span.parent_span_id == parent:
                yield indent + span.name
                yield from self._outline(span.span_id, indent + "  ")

    def named(self, name: str) -> list[SpanRow]:
        """The spans of that name."""
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> SpanRow:
        """The one span of that name."""
        (span,) = self.named(name)
        return span


def sessions_in(path: Path) -> list[Stored]:
    """Every session in the store at ``path``, the oldest first; every span of it stands in its outline."""
    connection = open_for_reading(path)
    try:
        found = [
            Stored(summary, read_spans(connection, summary.session_id))
            for summary in reversed(list_sessions(connection, limit=10_000))
        ]
    finally:
        connection.close()
    for each in found:
        assert len(each.outline) == len(each.spans), f"not in one tree: {[span.name for span in each.spans]}"
    return found


def content(span: SpanRow, key: str) -> Any:
    """An attribute that holds JSON, read."""
    return json.loads(str(span.attributes[key]))


def words(span: SpanRow, key: str) -> list[str]:
    """The texts of an attribute that holds messages."""
    return [part["content"] for message in content(span, key) for part in message["parts"] if part["type"] == "text"]
