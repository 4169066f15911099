"""Our road: which of the spans that end go where. One a process, tapped into every provider that it joins."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from opentelemetry.sdk.trace import ReadableSpan, Span

from sentrial import _guard, _payload, _registry, semconv
from sentrial._config import Config
from sentrial._export.crew import Crew
from sentrial._export.destination import Destination
from sentrial._export.endpoint import Endpoint
from sentrial._export.filter import for_sentrial, in_one_tree
from sentrial._export.foreign_usage import span_ended
from sentrial._export.item import Item, copy_span
from sentrial._export.opened import Opened, opens_session
from sentrial._export.queue import Outlet
from sentrial._export.redact import SecretMasker, redact_span
from sentrial._foreign import SCOPE
from sentrial._session import Account, Session
from sentrial._setting_values import STORE_OFF
from sentrial._store.failures import StoreUnusableError

Adapt = Callable[[Item], ReadableSpan]


@dataclass(frozen=True, slots=True)
class Makers:
    """How destinations are built, once they are needed."""

    sentrial: Callable[[Account], Destination]
    collector: Callable[[Config], Destination]
    store: Callable[[Config], Destination]
    store_place: Callable[[Config], str]


class Holder(Protocol):
    """What keeps spans back for a while, and has to give them out before a flush."""

    def release(self) -> None: ...
    def after_fork(self) -> None: ...


class Watcher(Protocol):
    """Who sees every span start and end, for sessions that begin by themselves."""

    def started(self, span: Span, session: Session | None) -> None: ...
    def ending(self, span: ReadableSpan) -> Session | None: ...
    def ended(self, span: ReadableSpan, *, ours: bool) -> None: ...


class Pipeline:
    """The destinations of this process, and the rules of who gets what:

    * Sentrial gets whole sessions, each at the account of the client that opened it, and what doors let in besides;
    * the collector gets every span of a provider that we built (a joined one exports there already);
    * the local store gets sessions and model calls where it is switched on, and what would go nowhere else unless it is
      switched off.
    """

    def __init__(self, makers: Makers, before_shutdown: Callable[[], None]) -> None:
        self._makers = makers
        self._before_shutdown = before_shutdown
        self._config = Config()
        self._masker = SecretMasker()
        # Reentrant: a span can end inside a garbage collection, and so while this thread holds the lock.
        self._lock = threading.RLock()
        self._accounts: dict[Account, Outlet] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._collector: Outlet | None = None
        self._store: Outlet | None = None
        self._replaced: list[Outlet] = []
        self._closed: list[Outlet] = []
        self._holders: weakref.WeakSet[Holder] = weakref.WeakSet()
        self.watcher: Watcher | None = None
        # A span that comes by several processors of one provider goes to one destination once.
        self._gone: weakref.WeakKeyDictionary[ReadableSpan, set[Outlet]] = weakref.WeakKeyDictionary()
        self._asleep = False
        self._running = False

    @property
    def running(self) -> bool:
        """Whether spans are taken."""
        return self._running

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Whose sessions go to Sentrial."""
        return tuple(self._accounts)

    def start(self, config: Config, masker: SecretMasker) -> None:
        """Take spans from now on, as ``config`` says. What is queued under an earlier configuration still goes out."""
        with self._lock:
            before, self._config, self._masker = self._config, config, masker
            if not self._running:
                self._closed = []
            if self._collector is not None and (not config.collector or before.otlp_endpoint != config.otlp_endpoint):
                self._replaced.append(self._collector)
                self._collector = None
            of_store = ("store", "store_max_size", "store_max_age")
            if self._store is not None and any(getattr(before, each) != getattr(config, each) for each in of_store):
                self._replaced.append(self._store)
                self._store = None
            if config.collector and self._collector is None:
                self._collector = self._outlet("collector", lambda: self._makers.collector(config))
            self._running = True

    def add_account(self, account: Account) -> None:
        """Send the sessions of ``account`` to it. One account has one sender, however often it is named."""
        with self._lock:
            if account not in self._accounts:
                endpoint = self._endpoints.get(account.api_url)
                if endpoint is None:
                    endpoint = self._endpoints[account.api_url] = Endpoint(account.api_url, self._config.queue_size)
                name, make = endpoint.name_next(), lambda: self._makers.sentrial(account)
                shared = {"crew": endpoint.crew, "room": endpoint.room}
                self._accounts[account] = self._outlet(name, make, _adapt_for_sentrial, **shared)

    def add_holder(self, holder: Holder) -> None:
        """Ask ``holder`` for its spans before each flush, as long as it lives."""
        with self._lock:
            self._holders.add(holder)

    def wake(self) -> None:
        """Start the threads of destinations, for spans that are under way. It cannot be done while a program ends."""
        if self._asleep:
            self._asleep = False
            for crew, queues in self._crews().items():
                crew.prepare(queues)

    def flush(self, timeout: float) -> bool:
        """Wait until all destinations have what ended so far, ``timeout`` seconds at most."""
        deadline = time.monotonic() + timeout
        self._release()
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
        self._release()
        with self._lock:
            # In here: who asks again inside the lock makes no destination that nobody would close.
            self._running, self._closed = False, self._outlets()
            crews = self._crews()
            self._accounts, self._endpoints = {}, {}
            self._collector, self._store, self._replaced = None, None, []
        # First all are told: a destination that is down must not eat the time of the others.
        marks = [outlet.hurry(deadline) for outlet in self._closed]
        for outlet, mark in zip(self._closed, marks, strict=True):
            outlet.close(max(0.0, deadline - time.monotonic()), mark)
        for crew in crews:
            crew.close(max(0.0, deadline - time.monotonic()))

    def after_fork(self) -> None:
        """In the child: forget what the parent will send, and start threads of our own when the first span comes."""
        self._lock = threading.RLock()
        self._replaced, self._closed = [], []
        for crew in self._crews():
            crew.reset()
        for outlet in self._outlets():
            outlet.reset()
        for holder in self._all_holders():
            holder.after_fork()
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

    def take(self, span: ReadableSpan, *, ours: bool, session: Session | None = None, again: bool = False) -> None:
        """Queue a span that has ended. ``ours``: whether a provider that we built made it.

        ``session``: whose it is where it does not say so itself. ``again``: it came before, when it was nobody's.
        """
        context = span.context
        if not self._running or context is None or not context.trace_flags.sampled:
            return
        payload = _payload.of(context.trace_id, context.span_id)
        told = payload.session if payload is not None else None
        session = told.outermost if told is not None else _session_of(span) or session
        if session is not None:
            if context.span_id in session.inherited:
                return  # a fork in its middle: the process that started it sends it
            span_ended(span, session)
        of_interest = session is not None or payload is not None or _scope(span) == SCOPE
        if not of_interest and not (ours and self._collector is not None):
            return
        item = Item(span, payload, session, self.ready)
        account = session.account if session is not None else None
        outlet = self._accounts.get(account) if account is not None else None
        self._put(item, outlet)
        taken = outlet is not None
        if ours and self._collector is not None:
            if not again:
                self._put(item, self._collector)
            taken = True
        if not of_interest:
            return
        homeless = not taken and (
            (session is not None and (ours or self._config.asked_for)) or (ours and not self._accounts)
        )
        self._put(item, self._store_for(homeless=homeless))

    def announce(self, span: Span, *, ours: bool) -> None:
        """Have the local store, where it is used, show a session from its start on. ``span``: one of ours, stamped."""
        if not self._running or not opens_session(span):
            return
        store = self._store_for(homeless=ours and self._collector is None and not self._accounts)
        if store is not None:
            store.put(Opened(span))

    def take_outside(self, item: Item, account: Account | None) -> None:
        """Queue a span from outside all sessions that a door lets in, for ``account``; without one, for the store."""
        if not self._running:
            return
        if account is not None:
            with self._lock:
                if self._running:
                    self.add_account(account)
                outlet = self._accounts.get(account)
            self._put(item, outlet)
        self._put(item, self._store_for(homeless=account is None and self._collector is None))

    def ready(self, item: Item, span: ReadableSpan | None = None) -> ReadableSpan:
        """``item`` as it may leave: content merged, masked. ``span``: what to take in the place of its own span."""
        span = item.span if span is None else span
        span = span if _scope(span) == SCOPE else redact_span(span, self._masker)
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

    def _put(self, item: Item, outlet: Outlet | None) -> None:
        if outlet is None:
            return
        if self._holders:
            with self._lock:
                gone = self._gone.setdefault(item.span, set())
                if outlet in gone:
                    return
                gone.add(outlet)
        outlet.put(item)

    def _release(self) -> None:
        for holder in self._all_holders():
            holder.release()

    def _all_holders(self) -> tuple[Holder, ...]:
        with self._lock:
            return tuple(self._holders)

    def _store_for(self, *, homeless: bool) -> Outlet | None:
        """The local store, where it takes what is at hand. ``homeless``: whether that has no other destination."""
        config = self._config
        if config.store == STORE_OFF and homeless and self._running:
            _guard.say_once(
                "store off",
                "sentrial: no Sentrial key and no collector is set, and the local store is off: sessions are not kept",
            )
        if config.store == STORE_OFF or (config.store is None and not homeless):
            return None
        with self._lock:
            if self._store is None and self._running:
                self._store = self._outlet("local store", lambda: self._makers.store(config), _adapt_for_store)
                self._say_place(fallback=config.store is None)
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

    def _outlet(self, name: str, make: Callable[[], Destination], adapt: Adapt = Item.ready, **shared: Any) -> Outlet:
        self._asleep = True
        return Outlet(
            name,
            make,
            queue_size=self._config.queue_size,
            flush_interval=self._config.flush_interval,
            retry_timeout=self._config.retry_timeout,
            adapt=adapt,
            **shared,
        )

    def _crews(self) -> Counter[Crew]:
        """The threads, and how many queues they are there for."""
        return Counter(outlet.crew for outlet in self._outlets())

    def _outlets(self) -> list[Outlet]:
        with self._lock:
            named = (*self._accounts.values(), self._collector, self._store)
            return [*self._replaced, *(outlet for outlet in named if outlet is not None)]


def _adapt_for_sentrial(item: Item) -> ReadableSpan:
    span = item.ready()
    return span if item.session is None else for_sentrial(span, item.session)


def _adapt_for_store(item: Item) -> ReadableSpan:
    span, session = item.ready(), item.session
    return span if session is None or not session.auto else in_one_tree(span, session)


def _session_of(span: ReadableSpan) -> Session | None:
    session_id = span.attributes.get(semconv.SENTRIAL_SESSION_ID) if span.attributes else None
    if isinstance(session_id, str):
        return _registry.find(session_id)
    context = span.context
    return _registry.find_member(context.trace_id, context.span_id) if context is not None else None


def _scope(span: ReadableSpan) -> str | None:
    scope = span.instrumentation_scope
    return scope.name if scope is not None else None
