"""An error that the application tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import Span

from sentrial import _config, _guard, semconv
from sentrial._session import Session
from sentrial._spans import attribute, event, failure
from sentrial._spans.metadata import write_metadata


def record_error(
    session: Session,
    message: object,
    error_type: str | None = None,
    *,
    tool_name: str | None = None,
    stack_trace: str | None = None,
    trace_id: str | None = None,
    span_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Span:
    """Add a span ``error`` with the exception event. ``tool_name`` is kept as metadata: no convention has it here.

    ``message`` may be an exception: then it says its type and stack itself, where the caller does not.
    """
    attributes: dict[str, Any] = {}
    if _config.active.openinference:
        attributes[semconv.OPENINFERENCE_SPAN_KIND] = semconv.OPENINFERENCE_CHAIN
    write_metadata(metadata, attributes)
    if failure.is_told(tool_name):
        attribute.write_value(semconv.SENTRIAL_METADATA_PREFIX, "tool_name", tool_name, attributes)
    kind = failure.masked(error_type) if failure.is_told(error_type) else None
    if _guard.is_a(message, BaseException):
        kind = kind or failure.type_name(message)
        stack_trace = stack_trace if failure.is_told(stack_trace) else failure.read_stack(message)
    kind = kind or semconv.ERROR_TYPE_OTHER
    span = event.start_event(session, semconv.SPAN_ERROR, semconv.EVENT_ERROR, attributes)
    failure.write_failure(span, message, kind)
    event.link(span, trace_id, span_id)
    span.add_event(semconv.EXCEPTION_EVENT, failure.exception_event(kind, message, stack_trace))
    session.add(errors=1)
    span.end()
    return span
