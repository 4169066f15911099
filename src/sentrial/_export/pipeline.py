"""Our road: which of the spans that end go where. One a process, tapped into every provider that it joins."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from sentrial import _guard, _payload, _session, semconv
from sentrial._config import Config
from sentrial._export.destination import Destination
from sentrial._export.filter import for_sentrial
from sentrial._export.item import Item, copy_span
from sentrial._export.queue import Outlet
from sentrial._export.redact import SecretMasker, redact_span
from sentrial._export.stamp import stamp
from sentrial._session import Account, Session

SCOPE = "sentrial"


@dataclass(frozen=True, slots=True)
class Makers:
    """How destinations are built, once they are needed."""

    sentrial: Callable[[Account], Destination]
    collector: Callable[[], Destination]
    store: Callable[[], Destination]
    store_place: Callable[[], str]


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
        self._lock = threading.Lock()
        self._accounts: dict[Account, Outlet] = {}
        self._collector: Outlet | None = None
        self._store: Outlet | None = None
        self._running = False

    @property
    def running(self) -> bool:
        """Whether spans are taken."""
        return self._running

    def start(self, config: Config, masker: SecretMasker) -> None:
        """Take spans from now on, as ``config`` says. What is queued under an earlier configuration still goes out."""
        with self._lock:
            before, self._config, self._masker = self._config, config, masker
            if config.collector and (self._collector is None or before.otlp_endpoint != config.otlp_endpoint):
                old, self._collector = self._collector, self._outlet("collector", self._makers.collector)
                if old is not None:
                    threading.Thread(target=old.close, args=(config.flush_timeout,), daemon=True).start()
            elif not config.collector:
                self._collector = None
            self._running = True

    def add_account(self, account: Account) -> None:
        """Send the sessions of ``account`` to it. One account has one sender, however often it is named."""
        with self._lock:
            if account not in self._accounts:
                self._accounts[account] = self._outlet(
                    f"Sentrial {account.api_url}", lambda: self._makers.sentrial(account), adapt=_adapt_for_sentrial
                )

    def flush(self, timeout: float) -> bool:
        """Wait until all destinations have what ended so far, ``timeout`` seconds at most."""
        deadline = time.monotonic() + timeout
        done = [outlet.flush(max(0.0, deadline - time.monotonic())) for outlet in self._outlets()]
        return all(done)

    def provider_shuts_down(self) -> None:
        """Deliver what there is, the sessions that are still open included, while their provider still works."""
        self._before_shutdown()
        self.flush(self._config.flush_timeout)

    def stop(self, timeout: float) -> None:
        """Deliver what is queued within ``timeout`` seconds, and take nothing more."""
        self._running = False
        outlets = self._outlets()
        with self._lock:
            self._accounts, self._collector, self._store = {}, None, None
        # All at once: a destination that is down must not eat the time of the others.
        closing = [threading.Thread(target=outlet.close, args=(timeout,), daemon=True) for outlet in outlets]
        try:
            for thread in closing:
                thread.start()
            for thread in closing:
                thread.join(timeout + 1.0)
        except RuntimeError:
            for outlet in outlets:
                outlet.close(timeout)

    def after_fork(self) -> None:
        """In the child: forget what the parent will send, and start threads of our own when the first span comes."""
        self._lock = threading.Lock()
        for outlet in self._outlets():
            outlet.reset()

    def stats(self) -> dict[str, dict[str, int]]:
        """Spans by destination: ``stored``, and dropped ones by reason."""
        return {outlet.name: {"stored": outlet.stored, **outlet.dropped} for outlet in self._outlets()}

    def take(self, span: ReadableSpan, *, ours: bool) -> None:
        """Queue a span that has ended. ``ours``: whether a provider that we built made it."""
        context = span.context
        if not self._running or context is None or not context.trace_flags.sampled:
            return
        session = _session_of(span)
        of_interest = session is not None or _scope(span) == SCOPE
        if not of_interest and not (ours and self._collector is not None):
            return
        item = Item(span, _payload.of(context.trace_id, context.span_id), session, self._merge)
        taken = False
        account = session.account if session is not None else None
        if account is not None and account in self._accounts:
            self._accounts[account].put(item)
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
        if item.payload is not None:
            attributes.update(item.payload.attributes())
        return copy_span(span, attributes=attributes)

    def _open_store(self, *, fallback: bool) -> Outlet:
        with self._lock:
            if self._store is None:
                self._store = self._outlet("local store", self._makers.store)
                _guard.say_once(
                    "store place",
                    "sentrial: %ssessions are kept in %s; look at them with: sentrial sessions list",
                    "no Sentrial key and no collector is set, so " if fallback else "",
                    self._makers.store_place(),
                    level=logging.WARNING if fallback else logging.INFO,
                )
            return self._store

    def _outlet(
        self, name: str, make: Callable[[], Destination], adapt: Callable[[Item], ReadableSpan] = Item.ready
    ) -> Outlet:
        return Outlet(
            name,
            make,
            queue_size=self._config.queue_size,
            flush_interval=self._config.flush_interval,
            retry_timeout=self._config.retry_timeout,
            adapt=adapt,
        )

    def _outlets(self) -> list[Outlet]:
        return [outlet for outlet in (*self._accounts.values(), self._collector, self._store) if outlet is not None]


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
        return _session.find(session_id)
    context = span.context
    return _session.find_member(context.trace_id, context.span_id) if context is not None else None


def _scope(span: ReadableSpan) -> str | None:
    scope = span.instrumentation_scope
    return scope.name if scope is not None else None
