"""What arrived at a receiver, asked in the words of sessions."""

from __future__ import annotations

from typing import Any

import sentrial
from sentrial import _session

Span = dict[str, Any]


def arrived(server: Any) -> dict[str, Span]:
    """The spans that have ended so far, by name. Raises AssertionError where a name stands for two of them."""
    assert sentrial.flush(30)
    return by_name(server.spans)


def by_name(spans: list[Span]) -> dict[str, Span]:
    """``spans`` by name. Raises AssertionError where a name stands for two of them."""
    names = [span["name"] for span in spans]
    assert len(set(names)) == len(names), f"not once each: {sorted(names)}"
    return dict(zip(names, spans, strict=True))


def id_of(span: Span) -> str:
    """The id of a session whose root is ``span`` (or of what a link leads to)."""
    return f"{span['trace_id']}-{span['span_id']}"


def session_of(span: Span) -> str:
    """The id of the session that ``span`` says it belongs to."""
    session_id: str = span["attributes"]["sentrial.session.id"]
    return session_id


def links_of(span: Span) -> list[tuple[str, str]]:
    """Of each link what it means and where it leads."""
    return [(link["attributes"]["sentrial.link"], id_of(link)) for link in span["links"]]


def is_current(session_id: str | None) -> bool:
    """Whether the session of that id is current; ``None``: whether none is."""
    session = _session.current()
    return session_id is None if session is None else session.id == session_id
