"""What Sentrial gets: whole sessions, each a trace of its own without dangling parents, and nothing else."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, TraceFlags

from sentrial._export.item import copy_span
from sentrial._session import Session


def for_sentrial(span: ReadableSpan, session: Session) -> ReadableSpan:
    """``span`` as an event of ``session``'s own trace.

    The root has no parent there; a span whose parent is no span of the session hangs on the root; a session that
    shares its trace with others (``SENTRIAL_SESSION_PARENT=inherit``) gets a trace id of its own.
    """
    context, parent = span.context, span.parent
    if context is None:
        return span
    root = session.context
    trace_id = session.trace_id_for_sentrial
    is_root = context.span_id == root.span_id
    if is_root:
        wanted = None
    elif parent is not None and (session.foreign or parent.span_id in session.members):
        wanted = parent.span_id
    else:
        wanted = root.span_id
    parent_id = None if parent is None else parent.span_id
    if wanted == parent_id and trace_id == context.trace_id and (parent is None or parent.trace_id == trace_id):
        return span
    links = span.links
    if trace_id != context.trace_id:
        links = [_moved(link, session) for link in links]
    return copy_span(
        span,
        context=_context(trace_id, context.span_id),
        parent=None if wanted is None else _context(trace_id, wanted),
        links=links,
    )


def _moved(link: Link, session: Session) -> Link:
    """``link`` itself, or one that finds its span of the same session where that is now."""
    if link.context.trace_id != session.context.trace_id or link.context.span_id not in session.members:
        return link
    return Link(_context(session.trace_id_for_sentrial, link.context.span_id), link.attributes)


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
