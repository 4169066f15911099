"""The session record, and how it travels: in the OpenTelemetry context, next to the current span.

A session that has ended is not served from a context any more: a worker that was born inside it, and lives on, does
not book later work on it. How sessions are found by id: :mod:`sentrial._registry`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
import time
from dataclasses import dataclass
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from sentrial import _guard, _runtime, semconv
from sentrial._json import Texts
from sentrial._totals import PricedCall, Totals
from sentrial.types import Usage

MAX_MEMBERS = 100_000
"""How many spans of one session are remembered, to tell whether a parent belongs to it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose session it is: where Sentrial's endpoint is, and the key that opens it."""

    api_url: str
    api_key: str

    def __repr__(self) -> str:
        return f"Account({self.api_url!r})"


class Session:
    """One agent interaction while it runs, and what is remembered of it afterwards.

    A sub-agent's session has a ``parent``; it shares the id, the trace and the account of the outermost one.
    ``stamps``: the attributes that say on a span whose it is; ``stamps_with_conversation``: where the conventions allow
    the conversation's id too, and there is one. ``foreign``: another process opened it and ends it. ``by_id``: it is
    known here by its id alone, so that nobody has said whether it is sampled. ``auto``: it began by itself, and no
    context serves it. ``exported``: it may go on in another process. ``inherited``: the spans that a forked child's
    parent sends. ``model_calls``: what is known of the calls that others tell of. ``requested_by``: the model call that
    asked for a tool call, by its id; ``requests``, of the outermost session: what can be found without an id.
    ``pending``: by the id of its answer, the session of each model call whose tokens have not been said yet.
    ``client``, ``interaction``: what the face of the SDK hands out for it. ``state``: what the application keeps with
    it.
    """

    __slots__ = (
        "__weakref__", "account", "agent_name", "auto", "by_id", "client", "context", "conversation_id", "ended",
        "exported", "foreign", "id", "inherited", "interaction", "lexical", "lock", "members", "model_calls",
        "outcome", "parent", "payload", "pending", "requested_by", "requests", "span", "stamps",
        "stamps_with_conversation", "state", "texts", "totals", "touched", "trace_id_for_sentrial", "user_id",
    )  # fmt: skip

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
        self.by_id = False
        self.auto = False
        self.lexical = False
        self.exported = False
        self.client: Any = None
        self.interaction: Any = None
        self.state: dict[str, Any] = {}
        self.ended = False
        self.outcome: str | None = None
        self.touched = time.monotonic()
        # Reentrant: a stream's span can end inside a garbage collection, and so while this thread holds the lock.
        self.lock = threading.RLock()
        self.totals = Totals()
        self.payload: Any = None
        self.texts: Texts = outermost.texts if outermost else Texts()
        self.members: set[int] = outermost.members if outermost else {context.span_id}
        self.inherited: frozenset[int] = frozenset()
        self.model_calls: Any = None
        self.requested_by: dict[str, SpanContext] = outermost.requested_by if outermost else {}
        self.requests: Any = None
        self.pending: dict[str, Session] = outermost.pending if outermost else {}
        self.trace_id_for_sentrial: int = outermost.trace_id_for_sentrial if outermost else context.trace_id
        self.stamps = _stamps(self)
        self.stamps_with_conversation = {**self.stamps, semconv.GEN_AI_CONVERSATION_ID: conversation_id}

    @property
    def outermost(self) -> Session:
        """The session that this one is a sub-agent of, however deep; itself where it is none."""
        session = self
        while session.parent is not None:
            session = session.parent
        return session

    def add(self, *, tool_calls: int = 0, decisions: int = 0, errors: int = 0) -> None:
        """Count events other than model calls, here and in the sessions around."""
        for session in self._chain():
            with session.lock:
                totals = session.totals
                totals.tool_calls += tool_calls
                totals.decisions += decisions
                totals.errors += errors

    def add_call(self, call: PricedCall | None, usage: Usage | None, *, count: int = 1) -> None:
        """Count one model call (``count=0``: more of one that is counted), with its tokens and what prices it."""
        for session in self._chain():
            with session.lock:
                session.totals.add_call(call, usage, count)

    def learn_user(self, user_id: str) -> None:
        """Whose session it is, where nobody knew when it began."""
        self.user_id = self.stamps[semconv.USER_ID] = self.stamps_with_conversation[semconv.USER_ID] = user_id
        self.span.set_attribute(semconv.USER_ID, user_id)

    def learn_conversation(self, conversation_id: str) -> None:
        """Which conversation it is a part of, where nobody knew when it began."""
        self.conversation_id = conversation_id
        said = {semconv.SESSION_ID: conversation_id}
        self.stamps.update(said)
        self.stamps_with_conversation.update({**said, semconv.GEN_AI_CONVERSATION_ID: conversation_id})
        self.span.set_attributes({**self.stamps_with_conversation, semconv.SENTRIAL_CONVO_ID: conversation_id})

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


_ID = re.compile(r"([0-9a-f]{32})-([0-9a-f]{16})")


def parse_id(session_id: object, *, sampled: bool = True) -> SpanContext | None:
    """The root's span context from a session id made by any process; ``None`` where it is no session id of ours."""
    match = _ID.fullmatch(session_id) if _guard.is_a(session_id, str) else None
    if match is None:
        return None
    trace_id, span_id = (int(digits, 16) for digits in match.groups())
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)
    return context if context.is_valid else None


def trace_id_apart(context: SpanContext) -> int:
    """A trace id for one session of a trace that others share: every process makes the same of the same root."""
    return int.from_bytes(hashlib.blake2b(format_id(context).encode(), digest_size=16).digest(), "big")


# --- the current session -------------------------------------------------------------------------------------------

_KEY = otel_context.create_key("sentrial-session")


def current(context: Context | None = None) -> Session | None:
    """The session that work in ``context`` (the current one, if not given) belongs to."""
    if context is None:
        context = _runtime.get_current()
    session: Any = otel_context.get_value(_KEY, context)
    while session is not None and session.ended and otel_context.get_value(_BY_HAND, context) is not session:
        session = session.parent
    return session  # type: ignore[no-any-return]  # only inside(), within() and parent_in() write under this key


def parent_in(session: Session) -> Context:
    """The context whose current span is the parent of a new event of ``session``.

    Where the session is the current one, that is what is current inside it (a tool's span, say); else its own span.
    """
    here = live()
    if current(here) is session:
        return here
    if session.auto and not session.ended and get_current_span(here).get_span_context().span_id in session.members:
        return otel_context.set_value(_KEY, session, here)
    context = inside(session)
    return otel_context.set_value(_BY_HAND, session, context) if session.ended else context


_BY_HAND = otel_context.create_key("sentrial-by-hand")
"""Marks what the application itself adds to a session that has ended: nothing else in a context does."""

OUTER_CALL = otel_context.create_key("sentrial-outer-model-call")
"""The model call of a framework that is open around what runs in a context: see ``_spans.joined``."""


class Activation:
    """A context made current, until :meth:`leave`.

    It is left by setting what was before, never by a token: a token works in one task only, and OpenTelemetry logs an
    error wherever a generator or a callback leaves it in another. What is current there cannot be set from here; but
    the context itself can become what was before it.
    """

    __slots__ = ("_before", "_mine", "_place")

    def __init__(self, context: Context) -> None:
        self._before = live()
        self._mine = context
        self._place = place()
        _runtime.attach(context)

    def leave(self) -> None:
        """Make current again what was: here, and where it began."""
        is_current = _runtime.get_current() is self._mine
        if is_current:
            _runtime.attach(_live(self._before))
        # Where an event got no span, its context is the one around it: not ours, and current for a reason of its own.
        if self._mine is not self._before and (not is_current or self._place != place()):
            self._mine.__dict__["before"] = self._before
            self._mine.__class__ = _LeftElsewhere


class _LeftElsewhere(Context):
    """What a context becomes that is still current where nobody can set another: it reads as what was before it."""

    before: Context

    def get(self, key: str, default: Any = None) -> Any:
        return self.before.get(key, default)

    def copy(self) -> dict[str, object]:
        return self.before.copy()


def place() -> tuple[int, int]:
    """This thread and task."""
    loop = asyncio._get_running_loop()
    return threading.get_ident(), 0 if loop is None else id(asyncio.current_task(loop))


def inside(session: Session) -> Context:
    """The context in which ``session`` and its span are current, around what is current now."""
    before = live()
    context = otel_context.set_value(_KEY, session, set_span_in_context(session.span, before))
    if otel_context.get_value(_BY_HAND, before) is not None:
        context = otel_context.set_value(_BY_HAND, None, context)  # that was said of what is around it
    return otel_context.set_value(_BEFORE, before, context)


def within(session: Session | None, context: Context) -> Context:
    """``context`` with its current span, and with ``session`` as the session that is current: ``None`` for none."""
    return otel_context.set_value(_KEY, session, otel_context.set_value(_BEFORE, context, context))


def activate(session: Session) -> Activation:
    """Make ``session`` and its span current."""
    return Activation(inside(session))


def leave_all() -> None:
    """Make current what was before any session was: here, no session is current any more."""
    context = _runtime.get_current()
    while otel_context.get_value(_KEY, context) is not None:
        before: Any = otel_context.get_value(_BEFORE, context)
        context = before if before is not None else Context()
    if context is not _runtime.get_current():
        _runtime.attach(context)


_BEFORE = otel_context.create_key("sentrial-before")


def live() -> Context:
    """The current context, or the nearest one around it whose session has not ended.

    Where sessions end in another order than they began, the context can be left on an ended one.
    """
    return _live(_runtime.get_current())


def _live(context: Context) -> Context:
    while True:
        while isinstance(context, _LeftElsewhere):
            context = context.before
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
