"""The session record, and how it travels: in the OpenTelemetry context, next to the current span.

A session that has ended is not served from a context any more: a worker that was born inside it, and lives on, does
not book later work on it. Sessions are found by id as long as they are open, and for a while after.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, set_span_in_context

from sentrial import semconv
from sentrial._json import Texts
from sentrial.types import Usage

MAX_REMEMBERED = 1_000
"""How many ended sessions are remembered, for events that come late."""

MAX_MEMBERS = 100_000
"""How many spans of one session are remembered, to tell whether a parent belongs to it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose session it is: where Sentrial's endpoint is, and the key that opens it."""

    api_url: str
    api_key: str

    def __repr__(self) -> str:
        return f"Account({self.api_url!r})"


@dataclass(slots=True, eq=False)
class PricedCall:
    """One model call that the session's cost needs. ``at``: nanoseconds since the epoch; ``cost``: dollars.

    Pricing costs too much for the user's thread: ``priced`` says whether a thread of ours has done it already.
    """

    provider: str
    model: str
    usage: Usage
    at: int
    cost: float | None = None
    priced: bool = False


class Totals:
    """What the events of one session add up to so far."""

    __slots__ = ("calls", "costs", "decisions", "errors", "input_tokens", "llm_calls", "output_tokens", "tool_calls")

    def __init__(self) -> None:
        self.llm_calls = 0
        self.tool_calls = 0
        self.decisions = 0
        self.errors = 0
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.costs: list[float] = []
        self.calls: list[PricedCall] = []

    def add_usage(self, usage: Usage) -> None:
        """Add the tokens of one call; what was not said stays unknown."""
        if usage.input_tokens is not None:
            self.input_tokens = (self.input_tokens or 0) + usage.input_tokens
        if usage.output_tokens is not None:
            self.output_tokens = (self.output_tokens or 0) + usage.output_tokens


class Session:
    """One agent interaction while it runs, and what is remembered of it afterwards.

    A sub-agent's session has a ``parent``; it shares the id, the trace and the account of the outermost one.
    """

    __slots__ = (
        "account",
        "agent_name",
        "context",
        "conversation_id",
        "ended",
        "foreign",
        "id",
        "lexical",
        "lock",
        "members",
        "outcome",
        "parent",
        "payload",
        "requested_by",
        "span",
        "stamps",
        "texts",
        "totals",
        "touched",
        "trace_id_for_sentrial",
        "user_id",
    )

    def __init__(
        self,
        span: Span,
        context: SpanContext,
        *,
        agent_name: str,
        user_id: str | None,
        conversation_id: str | None = None,
        account: Account | None = None,
        parent: Session | None = None,
        foreign: bool = False,
    ) -> None:
        outermost = parent.outermost if parent else None
        self.span = span
        self.context = context
        self.id: str = outermost.id if outermost else format_id(context)
        self.agent_name = agent_name
        self.user_id = user_id
        self.conversation_id = conversation_id
        self.account = account
        self.parent = parent
        self.foreign = foreign
        self.lexical = False
        self.ended = False
        self.outcome: str | None = None
        self.touched = time.monotonic()
        self.lock = threading.Lock()
        self.totals = Totals()
        self.payload: Any = None
        self.texts: Texts = outermost.texts if outermost else Texts()
        self.members: set[int] = outermost.members if outermost else {context.span_id}
        self.requested_by: dict[str, SpanContext] = outermost.requested_by if outermost else {}
        self.trace_id_for_sentrial: int = outermost.trace_id_for_sentrial if outermost else context.trace_id
        self.stamps = _stamps(self)

    @property
    def outermost(self) -> Session:
        """The session that this one is a sub-agent of, however deep; itself where it is none."""
        session = self
        while session.parent is not None:
            session = session.parent
        return session

    def add(self, *, llm_calls: int = 0, tool_calls: int = 0, decisions: int = 0, errors: int = 0) -> None:
        """Count events, here and in the sessions around."""
        for session in self._chain():
            with session.lock:
                totals = session.totals
                totals.llm_calls += llm_calls
                totals.tool_calls += tool_calls
                totals.decisions += decisions
                totals.errors += errors

    def add_call(self, call: PricedCall | None, usage: Usage | None) -> None:
        """Count one model call, with its tokens and what is needed to price it."""
        for session in self._chain():
            with session.lock:
                session.totals.llm_calls += 1
                if usage is not None:
                    session.totals.add_usage(usage)
                if call is not None:
                    session.totals.calls.append(call)

    def add_cost(self, dollars: float) -> None:
        """Count a cost that the caller named."""
        for session in self._chain():
            with session.lock:
                session.totals.costs.append(dollars)

    def _chain(self) -> list[Session]:
        chain = [self]
        while chain[-1].parent is not None:
            chain.append(chain[-1].parent)
        now = time.monotonic()
        for session in chain:
            session.touched = now
        return chain


def _stamps(session: Session) -> dict[str, Any]:
    stamps: dict[str, Any] = {
        semconv.SENTRIAL_SESSION_ID: session.id,
        semconv.SESSION_ID: session.conversation_id or session.id,
    }
    if session.user_id is not None:
        stamps[semconv.USER_ID] = session.user_id
    return stamps


# --- ids -----------------------------------------------------------------------------------------------------------


def format_id(context: SpanContext) -> str:
    """The id of the session whose root has ``context``: 32 hex digits of trace, a dash, 16 of span."""
    return f"{context.trace_id:032x}-{context.span_id:016x}"


def parse_id(session_id: object) -> SpanContext | None:
    """The root's span context from a session id made by any process; ``None`` where it is no session id of ours."""
    if not isinstance(session_id, str) or len(session_id) != 49 or session_id[32] != "-":
        return None
    try:
        trace_id, span_id = int(session_id[:32], 16), int(session_id[33:], 16)
    except ValueError:
        return None
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return context if context.is_valid else None


# --- the registry --------------------------------------------------------------------------------------------------

_lock = threading.Lock()
_open: OrderedDict[str, Session] = OrderedDict()
_ended: OrderedDict[str, Session] = OrderedDict()
_by_trace: dict[int, list[Session]] = {}


def register(session: Session) -> None:
    """Make ``session`` findable. Sub-agents are not: their outermost session is."""
    with _lock:
        _open[session.id] = session
        _by_trace.setdefault(session.context.trace_id, []).append(session)


def retire(session: Session) -> None:
    """Remember ``session`` as ended, for a while."""
    with _lock:
        if _open.pop(session.id, None) is None:
            return
        _ended[session.id] = session
        while len(_ended) > MAX_REMEMBERED:
            _, old = _ended.popitem(last=False)
            siblings = _by_trace.get(old.context.trace_id, [])
            if old in siblings:
                siblings.remove(old)
            if not siblings:
                _by_trace.pop(old.context.trace_id, None)


def find(session_id: str) -> Session | None:
    """The session of that id, open or lately ended; ``None`` where this process does not know it."""
    return _open.get(session_id) or _ended.get(session_id)


def find_member(trace_id: int, span_id: int) -> Session | None:
    """The session that a span was started in, for a span that lost its stamp."""
    for session in _by_trace.get(trace_id, ()):
        if span_id in session.members:
            return session
    return None


def open_sessions() -> list[Session]:
    """The sessions that are open, the one opened first in front."""
    with _lock:
        return list(_open.values())


def after_fork() -> None:
    """In a forked child: the sessions that are open are the parent's to end; events are still added to them here."""
    global _lock
    _lock = threading.Lock()
    for session in _open.values():
        session.foreign = True
        session.lock = threading.Lock()
    _ended.update(_open)
    _open.clear()


def remember_foreign(session_id: str, account: Account | None) -> Session | None:
    """A stand-in for a session of another process, for events that are added to it; ``None`` for a bad id."""
    context = parse_id(session_id)
    if context is None:
        return None
    session = Session(NonRecordingSpan(context), context, agent_name="", user_id=None, account=account, foreign=True)
    with _lock:
        _ended[session.id] = session
    return session


# --- the current session -------------------------------------------------------------------------------------------

_KEY = otel_context.create_key("sentrial-session")


def current(context: Context | None = None) -> Session | None:
    """The session that work in ``context`` (the current one, if not given) belongs to."""
    session: Any = otel_context.get_value(_KEY, context)
    while session is not None and session.ended:
        session = session.parent
    return session  # type: ignore[no-any-return]  # only activate() writes under this key


def parent_in(session: Session) -> Context:
    """The context whose current span is the parent of a new event of ``session``.

    Where the session is the current one, that is what is current inside it (a tool's span, say); else its own span.
    """
    if current() is session:
        return live()
    return otel_context.set_value(_KEY, session, set_span_in_context(session.span, Context()))


class Activation:
    """A context made current, until :meth:`leave`.

    It is left by setting what was before, never by a token: a token works in one task only, and OpenTelemetry logs an
    error wherever a generator or a callback leaves it in another. Elsewhere, leaving changes nothing.
    """

    __slots__ = ("_before", "_mine")

    def __init__(self, context: Context) -> None:
        self._before = live()
        self._mine = context
        otel_context.attach(context)

    def leave(self) -> None:
        """Make current again what was, if this activation still is what is current here."""
        if otel_context.get_current() is self._mine:
            otel_context.attach(self._before)


def activate(session: Session) -> Activation:
    """Make ``session`` and its span current."""
    context = otel_context.set_value(_KEY, session, set_span_in_context(session.span, live()))
    context = otel_context.set_value(_BEFORE, live(), context)
    return Activation(context)


_BEFORE = otel_context.create_key("sentrial-before")


def live() -> Context:
    """The current context, or the nearest one around it whose session has not ended.

    Where sessions end in another order than they began, the context can be left on an ended one.
    """
    context = otel_context.get_current()
    while True:
        session: Any = otel_context.get_value(_KEY, context)
        if session is None or not session.ended:
            return context
        span_here = otel_context.get_value(_SPAN_KEY, context)
        before: Any = otel_context.get_value(_BEFORE, context)
        if span_here is not session.span or before is None:
            return context
        context = before


def _span_key() -> str:
    # The API keeps its key private; setting a span into an empty context shows it.
    (key,) = set_span_in_context(NonRecordingSpan(SpanContext(1, 1, False)), Context())
    return key


_SPAN_KEY = _span_key()
