"""One span for one model call that two tell of: a framework's run, and the client that makes the call inside it.

The run's call stands in the context. What makes it there joins it: it gets no span, and says what it knows on that of
the run, whose end fills in what is still open. Only the session that it stands in sees it: an agent that begins inside
makes calls of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from opentelemetry.context import Context, set_value
from opentelemetry.trace import Span, get_current_span, set_span_in_context

from sentrial import _runtime, _session
from sentrial._payload import Payload
from sentrial._session import OUTER_CALL, Session
from sentrial.types import LlmRequest, LlmResponse

if TYPE_CHECKING:
    from sentrial._spans.llm import AnyCall

T = TypeVar("T", LlmRequest, LlmResponse)

_in_use = False
"""Whether a framework has ever marked a context: where none does, its clients' calls need not look for one."""


def filled(known: T, others: T) -> T:
    """``known``, with what it leaves open as ``others`` has it."""
    return type(known)._make(other if _is_blank(value) else value for value, other in zip(known, others, strict=True))


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, Sequence) and not value)


class CallEnd(NamedTuple):
    """How a model call ended, as one of those says who tell of it. ``error``: ``None`` where it succeeded."""

    response: LlmResponse | None
    stream_end: str | None
    attributes: Mapping[str, Any]
    error: object = None

    def within(self, outer: CallEnd) -> CallEnd:
        """The end that ``outer`` tells of, around this one, with all that is known of the call.

        Where only the inner one failed, the answer is of something else.
        """
        if self.error is not None and outer.error is None:
            return outer
        response = self.response or outer.response
        if self.response is not None and outer.response is not None:
            response = filled(self.response, outer.response)
        return CallEnd(
            response, outer.stream_end or self.stream_end, {**self.attributes, **outer.attributes}, outer.error
        )


class InnerCall:
    """A model call that has joined another one. Used as an ``LlmCall`` by whoever makes it; others can join it."""

    __slots__ = ("_is_over", "_outer", "context", "failed_at", "inner", "place", "request", "status")

    def __init__(self, outer: AnyCall, request: LlmRequest, context: Context) -> None:
        self.request = request
        self.context = context
        self.inner: InnerCall | None = None
        self.place = _session.place()
        self.failed_at: float | None = None
        self.status: int | None = None
        self._outer = outer
        self._is_over = False

    @property
    def ended(self) -> bool:
        """Whether nothing more can be said: it is over, or the call that it joined is."""
        return self._is_over or self._outer.ended

    @property
    def session(self) -> Session | None:
        """The session of the call that it joined."""
        return self._outer.session

    @property
    def span(self) -> Span:
        """The span of the call that it joined."""
        return self._outer.span

    @property
    def payload(self) -> Payload:
        """The content of the call that it joined."""
        return self._outer.payload

    def give_content(self, request: LlmRequest) -> None:
        """What is asked, in words."""
        if not self.ended:
            self._outer.give_content(request)

    def mark_chunk(self) -> None:
        """Note that a chunk of a stream has come."""
        if not self.ended:
            self._outer.mark_chunk()

    def follow(self, so_far: Callable[[], LlmResponse | None]) -> None:
        """The answer comes piece by piece."""
        if not self.ended:
            self._outer.follow(so_far)

    def retry(self, status: int | None, wait: float | None) -> None:
        """Note that the request is sent again."""
        if not self.ended:
            self._outer.retry(status, wait)

    def succeed(
        self,
        response: LlmResponse | None,
        *,
        stream_end: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        end_time: int | None = None,
    ) -> None:
        """Tell the call that it joined of the answer; the end is that one's, and its time too."""
        self._end(CallEnd(response, stream_end, attributes or {}))

    def fail(
        self,
        error: BaseException,
        response: LlmResponse | None = None,
        *,
        stream_end: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        end_time: int | None = None,
    ) -> None:
        """Tell the call that it joined of the failure, which may not be that one's: it can be made again."""
        if self.ended:
            return
        self._end(CallEnd(response, stream_end, attributes or {}, error))
        self.failed_at = time.perf_counter()
        status = getattr(error, "status_code", None)
        self.status = status if isinstance(status, int) else None

    def _end(self, end: CallEnd) -> None:
        if not self.ended:
            self._is_over = True
            self._outer.hand(end)

    def join(self, request: LlmRequest) -> None:
        """Whoever makes the call knows better what is asked."""
        self._outer.join(request)

    def hand(self, end: CallEnd) -> None:
        """Take what whoever makes the call tells of its end."""
        if not self.ended:
            self._outer.hand(end)


class Outer:
    """The calls of a framework that are open around what it runs: several where it makes them in one go, in order.

    ``calls``: what is added later counts, too. ``session``: whose they are. ``by_another``: the other instrumentation
    that tells of what is called here, so that nobody of ours does.
    """

    __slots__ = ("_choosing", "_lock", "by_another", "calls", "session")

    def __init__(self, calls: Sequence[AnyCall], session: Session | None, by_another: str | None = None) -> None:
        self.calls = calls
        self.session = session
        self.by_another = by_another
        # Reentrant: a garbage collection in the middle may run code of the program's that makes a call.
        self._lock = threading.RLock()
        self._choosing = False

    def next(self) -> AnyCall | None:
        """The call that one made here belongs to: to what failed here and is tried again, else to the first that nobody
        has made yet. ``None`` where it is one of its own."""
        here = _session.place()
        waiting: AnyCall | None = None
        failed: AnyCall | None = None
        for call in self.calls:
            inner = call.inner
            if call.ended:
                continue
            if inner is None:
                waiting = waiting or call
            elif inner.failed_at is not None:
                # Several that failed may wait in tasks of their own, and go on in any order.
                if inner.place == here:
                    return call
                failed = failed or call
        return waiting or failed

    @property
    def has_no_span(self) -> bool:
        """Whether its calls only count."""
        return any(not call.span.get_span_context().is_valid for call in self.calls)

    def join(self, request: LlmRequest) -> InnerCall | None:
        """Make the next call with ``request``; ``None`` where there is none."""
        context = _session.live()
        with self._lock:
            if self._choosing:
                return None  # what such code calls is none of the calls that are made here
            self._choosing = True
            try:
                outer = self.next()
                if outer is None:
                    return None
                before = outer.inner
                outer.inner = inner = InnerCall(outer, request, self._inside(outer, context))
            finally:
                self._choosing = False
        if before is not None and before.failed_at is not None:
            outer.retry(before.status, time.perf_counter() - before.failed_at)
        outer.join(request)
        return inner

    def _inside(self, outer: AnyCall, context: Context) -> Context:
        """``context``, with the span of ``outer`` where it has that of another one of the calls."""
        span = get_current_span(context)
        is_of_another = span is not outer.span and any(span is call.span for call in self.calls)
        return set_span_in_context(outer.span, context) if is_of_another else context


def around(context: Context, calls: Sequence[AnyCall]) -> Context:
    """``context``, for what makes ``calls``: the first one made in it joins the first of them, and so on."""
    return _marked(context, Outer(calls, _session.current(context)))


def told_by_another(context: Context, teller: str) -> Context:
    """``context``, for what makes calls that another instrumentation tells of: ``teller``, the scope of its spans."""
    return _marked(context, Outer([], _session.current(context), teller))


def _marked(context: Context, outer: Outer) -> Context:
    global _in_use
    _in_use = True
    return set_value(OUTER_CALL, outer, context)


def hidden(context: Context) -> Context:
    """``context``, for what is no part of the model call around it: a tool that a model runs by itself."""
    return context if context.get(OUTER_CALL) is None else set_value(OUTER_CALL, None, context)


def is_told_by_another(context: Context | None = None) -> bool:
    """Whether :func:`told_by_another` was said of ``context``, the current one if none is given."""
    outer = _here(context)
    return outer is not None and outer.by_another is not None


def join(request: LlmRequest) -> InnerCall | None:
    """The call with ``request`` as a part of the one that is open here; ``None`` where it is one of its own."""
    outer = _here()
    return outer.join(request) if outer is not None else None


def _here(context: Context | None = None) -> Outer | None:
    if not _in_use:
        return None
    if context is None:
        context = _runtime.get_current()
    outer: Any = context.get(OUTER_CALL)
    return outer if outer is not None and _session.current(context) is outer.session else None
