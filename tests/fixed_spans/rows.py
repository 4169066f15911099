"""Rows for the store, as short as a test can say them."""

from __future__ import annotations

from typing import Any

from fixed_spans.maker import at
from sentrial import semconv as s
from sentrial._store.span_row import SpanRow

TOOL = s.EVENT_TOOL_CALL
LLM = s.EVENT_LLM_CALL
DECISION = s.EVENT_DECISION
ERROR = s.EVENT_ERROR
SESSION = s.EVENT_SESSION


def trace_id(number: int) -> str:
    """A trace id that is easy to tell from others."""
    return f"{number:08x}{number:024x}"


def session_id(number: int) -> str:
    """The id of session ``number``: its trace has that number, and its root the span id 1."""
    return f"{trace_id(number)}-{1:016x}"


def row(
    number: int,
    span: int,
    event_type: str | None,
    begin: float = 0.0,
    end: float | None = None,
    *,
    name: str = "span",
    parent: int | None = 1,
    status: str = "UNSET",
    session: bool = True,
    **attributes: Any,
) -> SpanRow:
    """Span ``span`` of session ``number``. ``attributes`` are named as the constants of semconv, times in seconds."""
    said: dict[str, Any] = {getattr(s, key): value for key, value in attributes.items()}
    if session:
        said[s.SENTRIAL_SESSION_ID] = session_id(number)
    if event_type is not None:
        said[s.SENTRIAL_EVENT_TYPE] = event_type
    return SpanRow(
        trace_id(number),
        f"{span:016x}",
        None if parent is None else f"{parent:016x}",
        name,
        at(begin),
        at(begin if end is None else end),
        status=status,
        attributes=said,
        resource={"service.name": "tests"},
    )


def root(number: int, begin: float = 0.0, end: float = 10.0, outcome: str = "completed", **attributes: Any) -> SpanRow:
    """The root of session ``number``."""
    attributes = {"GEN_AI_AGENT_NAME": "helper", "SENTRIAL_SESSION_OUTCOME": outcome, **attributes}
    return row(number, 1, SESSION, begin, end, name="invoke_agent helper", parent=None, **attributes)
