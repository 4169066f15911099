"""An error that the application tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import Span

from sentrial import _config, semconv
from sentrial._session import Session
from sentrial._spans import event, failure
from sentrial._spans.metadata import write_metadata


def record_error(
    session: Session,
    message: str,
    error_type: str | None = None,
    *,
    tool_name: str | None = None,
    stack_trace: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Span:
    """Add a span ``error`` with the exception event. ``tool_name`` is kept as metadata: no convention has it here."""
    attributes: dict[str, Any] = {}
    if _config.active.openinference:
        attributes[semconv.OPENINFERENCE_SPAN_KIND] = semconv.OPENINFERENCE_CHAIN
    write_metadata(metadata, attributes)
    if tool_name:
        attributes[semconv.SENTRIAL_METADATA_PREFIX + "tool_name"] = tool_name
    span = event.start_event(session, semconv.SPAN_ERROR, semconv.EVENT_ERROR, attributes)
    kind = error_type or semconv.ERROR_TYPE_OTHER
    failure.write_failure(span, message, kind)
    span.add_event(semconv.EXCEPTION_EVENT, failure.exception_event(kind, message, stack_trace))
    session.add(errors=1)
    span.end()
    return span
