"""Our road: which of the spans that end go where. One a process, tapped into every provider that it joins."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from sentrial import _guard, _payload, _registry, semconv
from sentrial._config import Config
from sentrial._export.destination import Destination
from sentrial._export.filter import for_sentrial
from sentrial._export.item import Item, copy_span
from sentrial._export.queue import Outlet
from sentrial._export.redact import SecretMasker, redact_span
from sentrial._export.stamp import stamp
from sentrial._export.unfinished_imports import wait_for_imports
from sentrial._session import Account, Session
from sentrial._store.failures import StoreUnusableError

SCOPE = "sentrial"

LONGEST_WAIT_OF_A_FORK = 2.0


@dataclass(frozen=True, slots=True)
class Makers:
    """How destinations are built, once they are needed."""

    sentrial: Callable[[Account], Destination]
    collector: Callable[[Config], Destination]
    store: Callable[[Config], Destination]
    store_place: Callable[[Config], str]


class Pipeline:
    """The destinations of this process, and the rules of who gets what:

    * Sentrial gets whole sessions, each at the account of the client that opened it;
    * the collector gets every span of a provider that we built (a joined one exports there already);
    * the local store gets sessions and model calls where it is switched on, and what would go nowhere else.
    """

    def __init__(self, makers: Makers, before_shutdown: Callable[[], None]) -> None:
        self._makers = makers
        self._before_shutdown = before_shutdown
        self._config = Config()
        self._masker = SecretMasker()
        # Reentrant: a span can end inside a garbage collection, and so while this thread holds the lock.
        self._lock = threading.RLock()
        self._accounts: dict[Account, Outlet] = {}
        self._collector: Outlet | None = None
        self._store: Outlet | None = None
        self._replaced: list[Outlet] = []
        self._closed: list[Outlet] = []
        self._asleep = False
        self._running = False

    @property
    def running(self) -> bool:
        """Whether spans are taken."""
        return self._running

    def start(self, config: Config, masker: SecretMasker) -> None:
        """Take spans from now on, as ``config`` says. What is queued under an earlier configuration still goes out."""
        with self._lock:
            before, self._config, self._masker = self._config, config, masker
            if not self._running:
                self._closed = []
            if self._collector is not None and (not config.collector or before.otlp_endpoint != config.otlp_endpoint):
                self._replaced.append(self._collector)
                self._collector = None
            if self._store is not None and before.store != config.store:
                self._replaced.append(self._store)
                self._store = None
            if config.collector and self._collector is None:
                self._collector = self._outlet("collector", lambda: self._makers.collector(config))
            self._running = True

    def add_account(self, account: Account) -> None:
        """Send the sessions of ``account`` to it. One account has one sender, however often it is named."""
        with self._lock:
            if account not in self._accounts:
                name = f"Sentrial {account.api_url}"
                number = 1 + sum(other.api_url == account.api_url for other in self._accounts)
                self._accounts[account] = self._outlet(
                    name if number == 1 else f"{name} (account {number})",
                    lambda: self._makers.sentrial(account),
                    adapt=_adapt_for_sentrial,
                )

    def wake(self) -> None:
        """Start the threads of destinations, for spans that are under way. It cannot be done while a program ends."""
        if self._asleep:
            self._asleep = False
            for outlet in self._outlets():
                outlet.wake()

    def flush(self, timeout: float) -> bool:
        """Wait until all destinations have what ended so far, ``timeout`` seconds at most."""
        deadline = time.monotonic() + timeout
        marks = [(outlet, outlet.hurry()) for outlet in self._outlets()]
        done = [outlet.wait(mark, max(0.0, deadline - time.monotonic())) for outlet, mark in marks]
        return all(done)

    def provider_shuts_down(self) -> None:
        """Deliver what there is, the sessions that are still open included, while their provider still works."""
        self._before_shutdown()
        self.flush(self._config.flush_timeout)

    def stop(self, timeout: float) -> None:
        """Deliver what is queued within ``timeout`` seconds, and take nothing more."""
        deadline = time.monotonic() + timeout
        self._running = False
        with self._lock:
            self._closed = self._outlets()
            self._accounts, self._collector, self._store, self._replaced = {}, None, None, []
        # First all are told: a destination that is down must not eat the time of the others.
        marks = [outlet.hurry(deadline) for outlet in self._closed]
        for outlet, mark in zip(self._closed, marks, strict=True):
            outlet.close(max(0.0, deadline - time.monotonic()), mark)

    def before_fork(self) -> None:
        """In the parent: let our threads come to a place where they can be left behind."""
        threads = [outlet.thread for outlet in self._outlets()]
        wait_for_imports([thread for thread in threads if thread is not None], LONGEST_WAIT_OF_A_FORK)

    def after_fork(self) -> None:
        """In the child: forget what the parent will send, and start threads of our own when the first span comes."""
        self._lock = threading.RLock()
        self._replaced, self._closed = [], []
        for outlet in self._outlets():
            outlet.reset()
        self._asleep = True

    def stats(self) -> dict[str, dict[str, int]]:
        """Spans by destination: ``stored``, and dropped ones by reason. After a stop, what they were in the end."""
        counts: dict[str, Counter[str]] = {}
        for outlet in (*self._outlets(), *self._closed):
            counts.setdefault(outlet.name, Counter()).update({"stored": outlet.stored, **outlet.dropped})
        return {
            name: {reason: n for reason, n in count.items() if n or reason == "stored"}
            for name, count in counts.items()
        }

    def take(self, span: ReadableSpan, *, ours: bool) -> None:
        """Queue a span that has ended. ``ours``: whether a provider that we built made it."""
        context = span.context
        if not self._running or context is None or not context.trace_flags.sampled:
            return
        payload = _payload.of(context.trace_id, context.span_id)
        told = payload.session if payload is not None else None
        session = told.outermost if told is not None else _session_of(span)
        if session is not None and context.span_id in session.inherited:
            return  # a fork in its middle: the process that started it sends it
        of_interest = session is not None or payload is not None or _scope(span) == SCOPE
        if not of_interest and not (ours and self._collector is not None):
            return
        item = Item(span, payload, session, self._merge)
        taken = False
        account = session.account if session is not None else None
        outlet = self._accounts.get(account) if account is not None else None
        if outlet is not None:
            outlet.put(item)
            taken = True
        if ours and self._collector is not None:
            self._collector.put(item)
            taken = True
        if not of_interest:
            return
        if self._config.store is not None:
            self._open_store(fallback=False).put(item)
        elif ours and not taken and (session is not None or not self._accounts):
            self._open_store(fallback=True).put(item)

    def _merge(self, item: Item) -> ReadableSpan:
        span = item.span if _scope(item.span) == SCOPE else redact_span(item.span, self._masker)
        attributes = dict(span.attributes or {})
        if item.session is not None and semconv.SENTRIAL_SESSION_ID not in attributes:
            # A span with more attributes than the SDK's limit has lost its oldest ones: whose it is comes back.
            attributes.update(item.session.stamps)
            operation = attributes.get(semconv.GEN_AI_OPERATION_NAME)
            if item.session.conversation_id is not None and operation in semconv.OPERATIONS_OF_A_CONVERSATION:
                attributes[semconv.GEN_AI_CONVERSATION_ID] = item.session.conversation_id
        if item.payload is not None:
            attributes.update(item.payload.attributes())
        return copy_span(span, attributes=attributes)

    def _open_store(self, *, fallback: bool) -> Outlet:
        with self._lock:
            if self._store is None:
                config = self._config
                self._store = self._outlet("local store", lambda: self._makers.store(config))
                self._say_place(fallback)
            return self._store

    def _say_place(self, fallback: bool) -> None:
        try:
            place = self._makers.store_place(self._config)
        except StoreUnusableError:
            return  # the destination says it too, when it is made
        _guard.say_once(
            "store place",
            "sentrial: %ssessions are kept in %s; look at them with: sentrial sessions list",
            "no Sentrial key and no collector is set, so " if fallback else "",
            place,
            level=logging.WARNING if fallback else logging.INFO,
        )

    def _outlet(
        self, name: str, make: Callable[[], Destination], adapt: Callable[[Item], ReadableSpan] = Item.ready
    ) -> Outlet:
        self._asleep = True
        return Outlet(
            name,
            make,
            queue_size=self._config.queue_size,
            flush_interval=self._config.flush_interval,
            retry_timeout=self._config.retry_timeout,
            adapt=adapt,
        )

    def _outlets(self) -> list[Outlet]:
        with self._lock:
            named = (*self._accounts.values(), self._collector, self._store)
            return [*self._replaced, *(outlet for outlet in named if outlet is not None)]


class Tap(SpanProcessor):
    """Our processor in one provider. The provider's shutdown flushes; the road itself belongs to the process."""

    def __init__(self, pipeline: Pipeline, *, ours: bool) -> None:
        self._pipeline = pipeline
        self._ours = ours
        self._open = True

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp what starts inside a session."""
        if self._open and self._pipeline.running:
            try:
                if self._ours or _scope(span) == SCOPE:
                    self._pipeline.wake()
                stamp(span, parent_context)
            except Exception as error:  # noqa: BLE001 - the provider would hand it to the user
                _guard.failed("stamping a span", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue what ended."""
        if self._open:
            try:
                self._pipeline.take(span, ours=self._ours)
            except Exception as error:  # noqa: BLE001 - the provider would hand it to the user
                _guard.failed("queueing a span", error)

    def shutdown(self) -> None:
        """Deliver what is queued, and take no more spans of this provider."""
        if self._open:
            self._pipeline.provider_shuts_down()
            self._open = False

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait for delivery, ``timeout_millis`` at most."""
        return self._pipeline.flush(timeout_millis / 1000)


def _adapt_for_sentrial(item: Item) -> ReadableSpan:
    span = item.ready()
    return span if item.session is None else for_sentrial(span, item.session)


def _session_of(span: ReadableSpan) -> Session | None:
    session_id = span.attributes.get(semconv.SENTRIAL_SESSION_ID) if span.attributes else None
    if isinstance(session_id, str):
        return _registry.find(session_id)
    context = span.context
    return _registry.find_member(context.trace_id, context.span_id) if context is not None else None


def _scope(span: ReadableSpan) -> str | None:
    scope = span.instrumentation_scope
    return scope.name if scope is not None else None
