"""Sessions that begin by themselves: which request, call or run a span belongs to, and when that is a session.

A span processor sees every span start and end, so it knows a request by its server span, and what belongs to it by the
parents. The session begins with the first span of a model or an agent, as of the request's own beginning; what ended
before is kept until then. A request without one is no session: health checks and static files leave nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import set_span_in_context

from sentrial import _config, _guard, _setting_values, semconv
from sentrial._ambient import Told
from sentrial._export import taken_off
from sentrial._export.ai_rules import is_ai
from sentrial._export.lingering import Lingering
from sentrial._export.pipeline import Pipeline
from sentrial._export.scope import INBOUND, Scope
from sentrial._export.stamp import stamp_as
from sentrial._foreign import SCOPE
from sentrial._session import Session

MAX_HELD = 2_000
"""Spans that are kept for sessions that may yet begin, in all requests together."""

MAX_KNOWN = 100_000
"""Spans that are remembered, in all requests together: where their own spans never end, the oldest are given up."""

_OF_NO_REQUEST = frozenset({SCOPE, "langsmith"})
"""Scopes whose spans begin no session: ours do where they are made, and LangSmith makes its own afterwards, far from
the runs that they tell of."""

_UNSAMPLED = Scope()
"""Where somebody's sampler has decided that nothing is recorded."""


@dataclass(frozen=True, slots=True)
class Roots:
    """How the root of a session is opened (where, as of when, for whom, whether for the run), and how it is ended."""

    open: Callable[[Context, int, str | None, bool], Session]
    end: Callable[[Session, Told, int | None], None]


class AutoSessions:
    """The sessions of this process that nobody opens. ``modes``: what is one, of ``request``, ``call``, ``process``."""

    def __init__(self, modes: Collection[str], pipeline: Pipeline, roots: Roots, run: Session | None = None) -> None:
        """``run``: the session that the run of this program is a part of, where another process began it."""
        self.modes = frozenset(modes)
        self._requests = _setting_values.AUTO_REQUEST in self.modes
        self._calls = _setting_values.AUTO_CALL in self.modes
        self._pipeline = pipeline
        self._roots = roots
        self._lingering = Lingering(self._close)
        self._by_span: dict[int, Scope] = {}
        self._by_session: dict[str, Scope] = {}
        # Reentrant: a span can end inside a garbage collection, and so while this thread holds the lock.
        self._counting = threading.RLock()
        self._held = 0
        self.run = Scope(is_run=True) if _setting_values.AUTO_PROCESS in self.modes else None
        if self.run is not None and run is not None:
            self.run.session = run

    # --- what the processor sees -------------------------------------------------------------------------------------

    def started(self, span: Span, session: Session | None) -> None:
        """A span has started; ``session``: the one whose stamp it has got."""
        context = span.get_span_context()
        if not context.trace_flags.sampled:
            return
        if session is not None:
            scope = self._by_session.get(session.outermost.id) if session.outermost.auto else None
            if scope is not None:
                self._enter(scope, context.span_id)
            return
        if _scope_name(span) in _OF_NO_REQUEST:
            return  # a session's root, or what belongs to none by the application's own will
        inbound = self._requests and span.kind in INBOUND
        scope = self._scope_below(span, inbound)
        if scope is None and inbound:
            self._begin_request(span)
        elif scope is None and self._calls and is_ai(span):
            scope = Scope(owner=span)
            self._by_span[scope.owner_id] = scope
            self._stamp(span, self._open(scope), scope)
        elif scope is not None and not scope.is_plumbing(span):
            self._enter(scope, context.span_id)
            if scope.session is None and is_ai(span):
                self._open(scope)
            if scope.session is not None:
                self._stamp(span, scope.session, scope)

    def ending(self, span: ReadableSpan) -> Session | None:
        """A span has ended, and goes its way after this: to which session, where it does not say so itself."""
        context = span.context
        if context is None or not context.trace_flags.sampled or _scope_name(span) in _OF_NO_REQUEST:
            return None
        scope = self._by_span.get(context.span_id)
        if scope is None:
            if self.run is not None and not _is_stamped(span):
                scope = self.run
            elif self._calls and not _is_stamped(span) and span.kind not in INBOUND and is_ai(span):
                return self._open_afterwards(span)
            else:
                return None
        if scope.inbound and scope.owner_id == context.span_id:
            return None
        if scope.session is None and is_ai(span):
            return self._open(scope)
        return scope.session

    def ended(self, span: ReadableSpan, *, ours: bool) -> None:
        """The span has gone its way."""
        scope = self._by_span.get(span.context.span_id) if span.context is not None else None
        if scope is None:
            if self.run is not None and not _is_stamped(span) and _scope_name(span) not in _OF_NO_REQUEST:
                self._hold(self.run, span, ours)
            return
        owned = scope.owner_runs
        scope.ended(span)
        if owned == scope.owner_runs:
            self._hold(scope, span, ours)
        if scope.owner_runs:
            return
        if scope.at_rest and not scope.inbound:
            self._close(scope)
        elif scope.owner is not None:
            self._lingering.add(scope)

    # --- who asks for a session --------------------------------------------------------------------------------------

    def for_call(self) -> Session | None:
        """The session of a model call that is about to be made here; opened, if need be."""
        context = otel_context.get_current()
        scope = self._scope_in(context)
        if scope is _UNSAMPLED:
            return None
        if scope is None:
            if not self._calls:
                return None
            scope = Scope()
            session = self._open(scope, set_span_in_context(trace.get_current_span(context), Context()))
            if not session.span.is_recording():
                # Nothing of it will come by the processor; and nothing of it is sent.
                self._close(scope)
            return session
        return self._open(scope)

    def around(self) -> Session | None:
        """The session of the request or the run around; opened, if need be."""
        scope = self._scope_in(otel_context.get_current())
        return None if scope is None or scope is _UNSAMPLED else self._open(scope)

    def covers(self, *, run: bool = True) -> bool:
        """Whether there is a request around, or, with ``run``, a run."""
        scope = self._scope_in(otel_context.get_current())
        return scope is not None and scope is not _UNSAMPLED and (run or not scope.is_run)

    # --- the end -----------------------------------------------------------------------------------------------------

    def finish(self, told: Told) -> None:
        """End what has come to its end, and the run, as ``told``; requests that still run are left as they are."""
        for scope in {*self._by_span.values(), *self._by_session.values()}:
            if scope.at_rest:
                self._close(scope)
        if self.run is not None:
            self.run.told = told
            self._close(self.run)
            self.run = None

    def stop(self) -> None:
        """See no more spans, and end the thread."""
        if self._pipeline.watcher is self:
            self._pipeline.watcher = None
        self._lingering.stop()

    def after_fork(self) -> None:
        """In a forked child: what is a session by now is the parent's to end, and work on it here is added to it."""
        self._lingering.after_fork()
        self._counting = threading.RLock()
        self._held = 0
        taken_off.forget()
        for scope in {*self._by_span.values(), *([self.run] if self.run is not None else [])}:
            scope.after_fork()

    # --- scopes ------------------------------------------------------------------------------------------------------

    def _scope_below(self, span: Span, inbound: bool) -> Scope | None:
        """The scope that a span which starts is in, by its parent. ``inbound``: whether it can be one of its own."""
        parent = span.parent
        scope = self._by_span.get(parent.span_id) if parent is not None else None
        if scope is not None or inbound:
            return scope
        return (taken_off.current() if parent is None else None) or self.run

    def _scope_in(self, context: Context) -> Scope | None:
        """The scope of work in ``context``."""
        span = trace.get_current_span(context)
        here = span.get_span_context()
        if not here.is_valid:
            return taken_off.current() or self.run
        scope = self._by_span.get(here.span_id)
        if scope is not None:
            return scope
        if not here.is_remote and not here.trace_flags.sampled:
            return _UNSAMPLED
        if self._requests and isinstance(span, Span) and span.kind in INBOUND and span.is_recording():
            # The provider was joined while it ran.
            return self._begin_request(span)
        return self.run

    def _begin_request(self, span: Span) -> Scope:
        if len(self._by_span) > MAX_KNOWN:
            self._close(next(iter(self._by_span.values())))
        scope = Scope(owner=span, inbound=True)
        self._by_span[scope.owner_id] = scope
        taken_off.remember(scope, span)
        return scope

    def _enter(self, scope: Scope, span_id: int) -> None:
        # What nobody else has is the run's, so that it needs no entry; once it is a session, its spans say so.
        if not scope.is_run:
            self._by_span[span_id] = scope
        elif scope.session is not None:
            return
        forgotten = scope.begun(span_id)
        if forgotten is not None:
            self._by_span.pop(forgotten, None)

    def _hold(self, scope: Scope, span: ReadableSpan, ours: bool) -> None:
        with scope.lock, self._counting:
            if scope.session is None and not scope.over and self._held < MAX_HELD:
                self._held += 1
                scope.held.append((span, ours))

    def _release(self, scope: Scope) -> list[tuple[ReadableSpan, bool]]:
        with scope.lock, self._counting:
            held, scope.held = scope.held, []
            self._held -= len(held)
        return held

    def _open(self, scope: Scope, context: Context | None = None) -> Session:
        """The session of ``scope``, which begins now if it has not yet."""
        with scope.lock:
            if scope.session is not None:
                return scope.session
            if context is None:
                context = Context() if scope.owner is None else set_span_in_context(scope.owner, Context())
            user = _config.active.user_id or scope.told_user()
            session = scope.session = self._roots.open(context, scope.since, user, scope.is_run)
            session.members |= scope.ids.keys()
            self._by_session[session.id] = scope
            held = self._release(scope)
        if not scope.inbound and scope.owner_id:
            session.members.add(scope.owner_id)
        session.members |= {span.context.span_id for span, _ in held if span.context is not None}
        for span, ours in held:
            self._pipeline.take(span, ours=ours, session=session, again=True)
        return session

    def _open_afterwards(self, span: ReadableSpan) -> Session:
        """The session of an outermost AI span that did not look like one when it started."""
        scope, context = Scope(), span.get_span_context()
        scope.since = span.start_time or scope.since
        if context is None:
            return self._open(scope)
        session = self._open(scope, set_span_in_context(trace.NonRecordingSpan(context), Context()))
        self._enter(scope, context.span_id)
        session.members.add(context.span_id)
        return session

    def _stamp(self, span: Span, session: Session, scope: Scope) -> None:
        if session.user_id is None and (user := scope.told_user()) is not None:
            session.learn_user(user)
        stamp_as(span, session)

    def _close(self, scope: Scope) -> None:
        with scope.lock:
            if scope.over:
                return
            scope.over = True
            self._release(scope)
        for span_id in (*scope.ids, scope.owner_id):
            self._by_span.pop(span_id, None)
        session = scope.session
        if session is None or session.foreign:
            return
        self._by_session.pop(session.id, None)
        if session.user_id is None and (user := scope.told_user()) is not None:
            session.learn_user(user)
        ended_at = None if scope.is_run or scope.ended_at <= scope.since else min(scope.ended_at, time.time_ns())
        try:
            self._roots.end(session, scope.end(), ended_at)
        except Exception as error:  # noqa: BLE001 - samplers and span processors are anybody's
            _guard.failed("ending a session that began by itself", error)


def _scope_name(span: ReadableSpan) -> str | None:
    scope = span.instrumentation_scope
    return scope.name if scope is not None else None


def _is_stamped(span: ReadableSpan) -> bool:
    return semconv.SENTRIAL_SESSION_ID in (span.attributes or {})
