"""The start of a session, told to the local store alone: it shows the session while it runs."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, Span

from sentrial import _registry, semconv
from sentrial._export.item import Item
from sentrial._payload import Payload
from sentrial._session import format_id

_NO_CONTENT = Payload()
_SAID = (
    semconv.GEN_AI_AGENT_NAME,
    semconv.SENTRIAL_SESSION_NAME,
    semconv.SENTRIAL_CONVO_ID,
    semconv.GEN_AI_CONVERSATION_ID,
    semconv.USER_ID,
)


class Opened(Item):
    """The own span of a session, as it is when the store comes to it; nothing where it has ended by then.

    Not counted as a span: where there is no room for it, the session is seen a little later.
    """

    __slots__ = ()
    counts = False

    def __init__(self, span: Span) -> None:
        super().__init__(span, _NO_CONTENT, None, _as_it_is)

    @property
    def is_due(self) -> bool:
        """Whether the session goes on."""
        return self.span.end_time is None


def opens_session(span: Span) -> bool:
    """Whether ``span``, one of ours that belongs to no session yet, is a session's own."""
    attributes = span.attributes
    return (
        attributes is not None
        and attributes.get(semconv.SENTRIAL_EVENT_TYPE) == semconv.EVENT_SESSION
        and semconv.SENTRIAL_SESSION_ID not in attributes
        and span.get_span_context().trace_flags.sampled
    )


def _as_it_is(item: Item) -> ReadableSpan:
    span = item.span
    context = span.get_span_context()
    if context is None:
        raise ValueError("a span without identity")
    # One by one: the program's own thread may be writing on the span.
    live = span.attributes or {}
    said = {key: value for key in _SAID if (value := live.get(key)) is not None}
    session_id = format_id(context)
    session = _registry.find(session_id)
    said.update({semconv.SENTRIAL_SESSION_ID: session_id} if session is None else session.stamps)
    said[semconv.SENTRIAL_EVENT_TYPE] = semconv.EVENT_SESSION
    return ReadableSpan(
        span.name,
        context,
        span.parent,
        span.resource,
        said,
        kind=span.kind,
        start_time=span.start_time,
        instrumentation_scope=span.instrumentation_scope,
    )
