"""The start of any event's span: a child of its session, stamped also where the session is over or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, set_span_in_context

from sentrial import _guard, _session, semconv
from sentrial._session import Session
from sentrial._spans import failure, joined, source
from sentrial._spans.metadata import write_metadata


def start_event(
    session: Session,
    name: str,
    event_type: str | None,
    attributes: dict[str, Any],
    *,
    parent: Context | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    links: Sequence[Link] = (),
    start_time: int | None = None,
) -> Span:
    """Start the span of one event of ``session``.

    ``event_type``: ``None`` for what is no event that sessions count. ``parent``: what :func:`_session.parent_in` gives
    for the session, where that is known already. ``start_time``: nanoseconds since the epoch; now,
    if not given.

    Where no span can be had, the invalid one is: whoever holds it goes on as if nothing was.
    """
    try:
        if event_type is not None:
            attributes[semconv.SENTRIAL_EVENT_TYPE] = event_type
        stray = session.ended or session.foreign
        if stray:
            # Contexts do not serve a session that is over: what is added to it by hand carries its identity by hand.
            attributes.update(session.stamps)
            attributes.update(conversation(session, attributes.get(semconv.GEN_AI_OPERATION_NAME)))
        if session.ended:
            attributes[semconv.SENTRIAL_LATE] = True
        span = source.tracer().start_span(
            name,
            _session.parent_in(session) if parent is None else parent,
            kind,
            attributes,
            links=links,
            start_time=start_time,
        )
    except Exception as error:  # noqa: BLE001 - samplers and span processors are anybody's
        _guard.failed(f"starting a {event_type or name}", error)
        return INVALID_SPAN
    if stray:
        session.members.add(span.get_span_context().span_id)
    return span


def link(span: Span, trace_id: object, span_id: object) -> None:
    """Link ``span`` with one of another tracing system; what are no ids of OpenTelemetry's become metadata."""
    if trace_id is None and span_id is None:
        return
    target = _session.parse_id(f"{failure.read_words(trace_id)}-{failure.read_words(span_id)}".lower())
    if target is not None:
        span.add_link(target, {semconv.SENTRIAL_LINK: semconv.LINK_GIVEN})
        return
    attributes: dict[str, Any] = {}
    write_metadata({"trace_id": trace_id, "span_id": span_id}, attributes)
    span.set_attributes(attributes)


def context_of(span: Span, session: Session) -> Context:
    """The context for what happens inside an event: current is its span, or its parent where it has none."""
    parent = joined.hidden(_session.parent_in(session))
    return set_span_in_context(span, parent) if span.get_span_context().is_valid else parent


def conversation(session: Session, operation: object) -> dict[str, Any]:
    """The conversation's id, for the operations on which the conventions allow it."""
    if session.conversation_id is None or operation not in semconv.OPERATIONS_OF_A_CONVERSATION:
        return {}
    return {semconv.GEN_AI_CONVERSATION_ID: session.conversation_id}
