"""What Sentrial gets: whole sessions, each a trace of its own without dangling parents; and traces without a session,
where a processor was added for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, TraceFlags

from sentrial import semconv
from sentrial._export.ai_rules import AiRules
from sentrial._export.ancestry import Kept
from sentrial._export.item import copy_span
from sentrial._session import Session


def in_one_tree(span: ReadableSpan, session: Session) -> ReadableSpan:
    """``span`` below the root of ``session``, in the trace that it is in: a session that began by itself lies inside a
    request, and work that belongs to it may hang on the request's own spans.
    """
    wanted = _parent_of(span, session)
    if span.context is None or wanted == (None if span.parent is None else span.parent.span_id):
        return span
    return copy_span(span, parent=None if wanted is None else _context(span.context.trace_id, wanted))


def _parent_of(span: ReadableSpan, session: Session) -> int | None:
    """Whom ``span`` hangs on within ``session``: its parent, where that is in there, else the root."""
    context, parent, root = span.context, span.parent, session.context
    if context is not None and context.span_id == root.span_id:
        return None
    elsewhere = session.foreign and not session.auto
    if parent is not None and (elsewhere or parent.span_id in session.members):
        return parent.span_id
    return root.span_id


def for_sentrial(span: ReadableSpan, session: Session) -> ReadableSpan:
    """``span`` as an event of ``session``'s own trace.

    The root has no parent there; a span whose parent is no span of the session hangs on the root; a session that
    shares its trace with others (``SENTRIAL_SESSION_PARENT=inherit``) gets a trace id of its own.
    """
    context, parent = span.context, span.parent
    if context is None:
        return span
    trace_id = session.trace_id_for_sentrial
    wanted = _parent_of(span, session)
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


def without_session(kept: Kept, rules: AiRules, resource: Resource) -> ReadableSpan:
    """The span of ``kept`` as an event of a trace without a session, which Sentrial makes a session of.

    Sentrial looks for user and conversation in the trace's root: where the spans that said so are left out, the first
    one that is not says it. So it is with the project, which is the agent's name where the span may have one.
    """
    span, parent, name = kept.span, kept.span.parent, kept.span.name
    found = span.attributes or {}
    said: dict[str, Any] = {}
    if kept.parent is None:
        parent = None
        said = {**kept.inherited}
        if rules.project is not None:
            said[semconv.SENTRIAL_PROJECT] = rules.project
            operation = found.get(semconv.GEN_AI_OPERATION_NAME)
            if operation in semconv.OPERATIONS_OF_AN_AGENT and semconv.GEN_AI_AGENT_NAME not in found:
                said[semconv.GEN_AI_AGENT_NAME] = rules.project
                if name == operation != semconv.OPERATION_EXECUTE_TOOL:
                    # The conventions have such a span named after its agent, once that has a name.
                    name = f"{operation} {rules.project}"
    elif parent is None or kept.parent != (parent.trace_id, parent.span_id):
        parent = _context(*kept.parent)
    attributes = {**said, **found, **words_for_sentrial(span, rules)}
    return copy_span(span, name=name, parent=parent, attributes=attributes, resource=resource)


def words_for_sentrial(span: ReadableSpan, rules: AiRules) -> dict[str, str]:
    """What ``span`` says about user and conversation, under the keys that Sentrial reads."""
    found = span.attributes or {}
    words = {}
    user = _first(found, (rules.user_id_attribute, semconv.USER_ID, semconv.ENDUSER_ID))
    if user is not None:
        words[semconv.USER_ID] = user
    conversation = _first(found, semconv.KEYS_OF_A_CONVERSATION)
    if conversation is not None:
        words[semconv.SENTRIAL_CONVO_ID] = conversation
    return words


def _first(found: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    values = (found.get(key) for key in keys)
    return next((str(value) for value in values if value not in (None, "")), None)


def named(resource: Resource, project: str | None) -> Resource:
    """``resource`` itself, unless ``project`` is all that is known of the service's name, which Sentrial reads too."""
    name = resource.attributes.get(semconv.SERVICE_NAME, semconv.SERVICE_NAME_UNKNOWN)
    if project is None or not str(name).startswith(semconv.SERVICE_NAME_UNKNOWN):
        return resource
    return Resource({**resource.attributes, semconv.SERVICE_NAME: project}, resource.schema_url)


def _moved(link: Link, session: Session) -> Link:
    """``link`` itself, or one that finds its span of the same session where that is now."""
    if link.context.trace_id != session.context.trace_id or link.context.span_id not in session.members:
        return link
    return Link(_context(session.trace_id_for_sentrial, link.context.span_id), link.attributes)


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
