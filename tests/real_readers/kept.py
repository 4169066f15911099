"""What a reader has of the shop's sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kept:
    """What a reader has of the shop's sessions: their ids, and their spans in the form that the reader gives."""

    ids: dict[str, str]
    spans: list[dict[str, Any]]

    def all_of(self, session: str) -> list[dict[str, Any]]:
        """The spans of one of the sessions."""
        return [span for span in self.spans if _trace_id(span) == self.ids[session].partition("-")[0]]

    def one(self, session: str, name: str) -> dict[str, Any]:
        """The one span of this name."""
        (found,) = [span for span in self.all_of(session) if span["name"] == name]
        return found

    def root(self, session: str) -> dict[str, Any]:
        """The one span that has no parent."""
        (found,) = [span for span in self.all_of(session) if not span.get("parentId", span.get("parent_span_id"))]
        return found


def _trace_id(span: dict[str, Any]) -> str:
    return str(span["trace"]["traceId"] if "trace" in span else span["trace_id"])
