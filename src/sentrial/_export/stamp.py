"""Says on every span started inside a session whose it is; third-party spans too."""

from __future__ import annotations

import time

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span

from sentrial import _session, semconv
from sentrial._export.foreign_usage import span_started
from sentrial._session import Session


def stamp(span: Span, parent_context: Context | None) -> Session | None:
    """Stamp ``span``, if ``parent_context`` (``None``: the current one), in which it starts, is in a session: that."""
    session = _session.current(parent_context)
    if session is not None:
        stamp_as(span, session)
    return session


def stamp_as(span: Span, session: Session) -> None:
    """Stamp ``span`` as one of ``session``."""
    outer: Session | None = session
    now = time.monotonic()
    while outer is not None:
        outer.touched = now
        outer = outer.parent
    stamps = session.stamps
    if session.conversation_id is not None:
        attributes = span.attributes
        operation = attributes.get(semconv.GEN_AI_OPERATION_NAME) if attributes else None
        if operation in semconv.OPERATIONS_OF_A_CONVERSATION:
            stamps = session.stamps_with_conversation
    span.set_attributes(stamps)
    context = span.get_span_context()
    # A span that will not be sent is no parent to keep.
    if context.trace_flags.sampled and len(session.members) < _session.MAX_MEMBERS:
        session.members.add(context.span_id)
        span_started(span, session)
