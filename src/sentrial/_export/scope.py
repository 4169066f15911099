"""What is one session, once a model is called in it: a request, a call, the run of the program."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import SpanKind, StatusCode

from sentrial import semconv
from sentrial._ambient import Told
from sentrial._session import Session

INBOUND = (SpanKind.SERVER, SpanKind.CONSUMER)
"""The kinds of spans that somebody else's request, or message, begins."""

MAX_IDS = 10_000
"""Spans of one scope that are remembered."""

AFTER_THREAD = 1.0
"""Seconds without any work after which a request is over, where nothing says it but the end of its span: a streamed
answer or a task in the background comes right behind it."""

AFTER_TASK = 30.0
"""The same, where the request's own asyncio task still runs: it says so itself when it is done."""

_CANCELLED = {"CancelledError", "GeneratorExit", "GreenletExit", "KeyboardInterrupt", "SystemExit", "trio.Cancelled"}
_PLUMBING = ("send", "receive")


class Scope:
    """A session to be, or one that is.

    ``owner``: the span it stands for: a request's own, or an outermost one of another instrumentation; ``None`` for a
    call of ours and for the run. ``since``: when it began, in nanoseconds since the epoch. ``open``: how many of its
    spans still run. ``held``: spans that ended before the session began. ``over``: nothing is added any more.
    """

    __slots__ = (
        "__weakref__", "_task", "_works_in_task", "cancelled", "ended_at", "held", "ids", "inbound", "is_run", "lock",
        "open", "over", "owner", "owner_id", "owner_runs", "quiet_since", "session", "since", "told",
    )  # fmt: skip

    def __init__(self, *, owner: Span | None = None, inbound: bool = False, is_run: bool = False) -> None:
        # Reentrant: opening the session starts a span, which comes by here.
        self.lock = threading.RLock()
        self.owner = owner
        self.owner_id = owner.get_span_context().span_id if owner is not None else 0
        self.owner_runs = owner is not None
        self.inbound = inbound
        self.is_run = is_run
        self.since: int = (owner.start_time if owner is not None else None) or time.time_ns()
        self.ended_at = self.since
        self.open = 0
        self.over = False
        self.session: Session | None = None
        self.held: list[tuple[ReadableSpan, bool]] = []
        # In the order of their beginning.
        self.ids: dict[int, None] = {}
        self.told = Told()
        self.cancelled = False
        self.quiet_since = time.monotonic()
        self._task = _task_here() if inbound else None
        self._works_in_task = self._task is not None

    @property
    def at_rest(self) -> bool:
        """Whether everything in it has ended, itself included."""
        return not self.is_run and not self.owner_runs and self.open == 0

    def is_done(self, now: float, longest: float) -> bool:
        """Whether nothing more is to be expected of a request, at ``now`` of the monotonic clock.

        ``longest``: seconds after which a span of it that never ends is waited for no longer.
        """
        if self.owner_runs:
            return False
        idle = now - self.quiet_since
        if self.open:
            return idle > longest
        task = self._task() if self._task is not None else None
        return idle > (AFTER_THREAD if not self._works_in_task else AFTER_TASK) or (
            self._works_in_task and (task is None or task.done())
        )

    def is_plumbing(self, span: ReadableSpan) -> bool:
        """Whether ``span`` is a part of receiving and answering: ASGI has one for each piece of a streamed answer."""
        if not self.inbound or self.owner is None:
            return False
        own, scope = self.owner.instrumentation_scope, span.instrumentation_scope
        same = own is not None and scope is not None and scope.name == own.name
        return same and span.name.rpartition(" ")[2] in _PLUMBING

    def told_user(self) -> str | None:
        """Whom the request's span names, so far."""
        attributes = self.owner.attributes if self.owner is not None else None
        if not attributes:
            return None
        user = attributes.get(semconv.USER_ID) or attributes.get(semconv.ENDUSER_ID)
        return str(user) if user else None

    def begun(self, span_id: int) -> int | None:
        """A span of it begins. Gives the one that is forgotten for it."""
        with self.lock:
            self.ids[span_id] = None
            self.open += 1
            if len(self.ids) <= MAX_IDS:
                return None
            oldest = next(iter(self.ids))
            del self.ids[oldest]
        return oldest

    def ended(self, span: ReadableSpan) -> None:
        """A span of it, or its own, has ended."""
        with self.lock:
            self.quiet_since = time.monotonic()
            self.ended_at = max(self.ended_at, span.end_time or 0)
            if span.context is not None and span.context.span_id == self.owner_id:
                self.owner_runs = False
                self.told = read_end(span)
            else:
                self.open = max(0, self.open - 1)
                if self.owner is None:
                    self.told = read_end(span)
            self._note_cancellation(span)

    def after_fork(self) -> None:
        """In a forked child: what runs in it runs in the parent."""
        self.lock = threading.RLock()
        self.owner_runs = False
        self.open = 0
        self.held = []
        self._task, self._works_in_task = None, False

    def end(self) -> Told:
        """How it ended, all in all."""
        if self.cancelled and not self.told.failed:
            return Told(cancelled=True)
        return self.told

    def _note_cancellation(self, span: ReadableSpan) -> None:
        """A server span does not say that its client has gone away: the model call that was cancelled does."""
        attributes = span.attributes or {}
        if attributes.get(semconv.SENTRIAL_EVENT_TYPE) == semconv.EVENT_LLM_CALL:
            self.cancelled = attributes.get(semconv.SENTRIAL_STREAM_END) == "cancelled"


def read_end(span: ReadableSpan) -> Told:
    """What ``span``, which has ended, says about its end."""
    attributes = span.attributes or {}
    if attributes.get(semconv.SENTRIAL_STREAM_END) == "cancelled":
        return Told(cancelled=True)
    if span.status.status_code is not StatusCode.ERROR:
        return Told()
    error_type = attributes.get(semconv.ERROR_TYPE)
    reason = span.status.description
    for event in span.events:
        said: Any = event.attributes or {}
        if event.name == semconv.EXCEPTION_EVENT and semconv.EXCEPTION_TYPE in said:
            error_type = str(said[semconv.EXCEPTION_TYPE])
            reason = ": ".join(filter(None, (error_type, str(said.get(semconv.EXCEPTION_MESSAGE, "")))))
    if not _CANCELLED.isdisjoint((str(error_type), str(error_type).rpartition(".")[2])):
        return Told(cancelled=True)
    status = attributes.get(semconv.HTTP_RESPONSE_STATUS_CODE) or attributes.get(semconv.HTTP_STATUS_CODE)
    if not reason and status is not None:
        reason = f"HTTP {status}"
    return Told(failed=True, reason=reason, error_type=str(error_type) if error_type else None)


def _task_here() -> weakref.ref[asyncio.Task[Any]] | None:
    if asyncio._get_running_loop() is None:
        return None
    task = asyncio.current_task()
    return weakref.ref(task) if task is not None else None
