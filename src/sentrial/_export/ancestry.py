"""Who is whose parent among the spans outside sessions, and which of them a span to be sent hangs on.

A parent ends after its children, and only then is it known whether it is sent too. So a child waits for it here: not
where the parent is of interest for certain already, not for longer than :data:`LONGEST_WAIT`, and never for a flush.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from sentrial import _config
from sentrial._export.item import Item
from sentrial._payload import Payload

LONGEST_WAIT = 60.0
"""Seconds that a span waits for its parents to end. Looked at whenever a span ends."""

MOST_KNOWN = 10_000
"""Spans that are remembered, of those that run and of those that have ended."""

SHARE_OF_THE_QUEUE = 8
"""What waits may weigh this part of what a queue may hold."""

Key = tuple[int, int]
"""A span's identity: its trace id and its span id."""


def key_of(context: SpanContext) -> Key:
    """The identity of the span that has ``context``."""
    return context.trace_id, context.span_id


class Kept(Item):
    """A span that will be sent, under ``parent`` once that is known; ``None`` makes it a root.

    ``inherited``: what the parents that are left out say about user and conversation.
    """

    __slots__ = ("ask_next", "inherited", "key", "parent", "since")

    def __init__(
        self, key: Key, span: ReadableSpan, payload: Payload | None, merge: Callable[[Any], ReadableSpan]
    ) -> None:
        super().__init__(span, payload, None, merge)
        self.key = key
        self.parent: Key | None = None
        self.inherited: dict[str, str] = {}
        self.ask_next = _parent_of(span)
        self.since = time.monotonic()


class _Known:
    """A span that started here. ``span``: itself, while it runs. ``sent``: ``None`` while nobody can know.

    ``words``: what it says about those below it, if it has ended, is left out, and has any. ``elsewhere``: the process
    that this one was forked from sends it.
    """

    __slots__ = ("elsewhere", "has_children", "parent", "sent", "span", "words")

    def __init__(self, span: ReadableSpan) -> None:
        self.span: ReadableSpan | None = span
        self.parent = _parent_of(span)
        self.sent: bool | None = None
        self.words: Mapping[str, str] = {}
        self.has_children = False
        self.elsewhere = False


class Ancestry:
    """The spans that run and those that have lately ended, and the spans that wait for their parents.

    ``will_want``: whether a running span is to be sent for certain. ``words_of``: what a span that is left out says
    about the spans below it. Every method gives the spans whose parent is known now.
    """

    def __init__(
        self, will_want: Callable[[ReadableSpan], bool], words_of: Callable[[ReadableSpan], Mapping[str, str]]
    ) -> None:
        self._will_want = will_want
        self._words_of = words_of
        # Reentrant: a span can end inside a garbage collection, and so while this thread holds the lock.
        self._lock = threading.RLock()
        self._running: OrderedDict[Key, _Known] = OrderedDict()
        self._ended: OrderedDict[Key, _Known] = OrderedDict()
        self._waiting: OrderedDict[Key, Kept] = OrderedDict()
        self._blocked: dict[Key, dict[Key, Kept]] = {}
        self._weight = 0

    def __len__(self) -> int:
        return len(self._running) + len(self._ended) + len(self._waiting)

    def started(self, key: Key, span: ReadableSpan) -> list[Kept]:
        """A span has started."""
        ready: list[Kept] = []
        known = _Known(span)
        with self._lock:
            self._running.setdefault(key, known)
            above = self._running.get(known.parent) if known.parent is not None else None
            if above is not None:
                above.has_children = True
            while len(self._running) > MOST_KNOWN:
                # One that never ends, most likely.
                lost, _ = self._running.popitem(last=False)
                self._unblock(lost, ready)
        return ready

    def fate(self, key: Key) -> bool | None:
        """Whether the span that is just ending is to be sent; ``None`` where that is open.

        It is, where spans were sent already that hang on it; it is not, where it was before, or began in a parent.
        """
        known = self._running.get(key)
        if known is None:
            return False if key in self._ended else None
        return False if known.elsewhere else known.sent

    def ended(self, key: Key, span: ReadableSpan, kept: Kept | None) -> list[Kept]:
        """A span has ended. ``kept``: how it will be sent, if it is."""
        ready: list[Kept] = []
        with self._lock:
            known = self._running.pop(key, None)
            if known is None:
                if kept is None:
                    return ready
                known = _Known(span)
            if not known.elsewhere:
                known.sent = kept is not None
            known.span = None
            if known.has_children and not known.sent:
                known.words = self._words_of(span)
            self._ended[key] = known
            while len(self._ended) > MOST_KNOWN:
                self._ended.popitem(last=False)
            if kept is not None:
                self._settle(kept, ready)
            self._unblock(key, ready)
            self._keep_in_bounds(ready)
        return ready

    def release(self) -> list[Kept]:
        """Nobody waits any longer: parents that still run, and may or may not be sent, are passed over."""
        ready: list[Kept] = []
        with self._lock:
            while self._waiting:
                self._release_oldest(ready)
        return ready

    def after_fork(self) -> None:
        """In a forked child: what runs and what waits is the parent's to send."""
        self._lock = threading.RLock()
        self._waiting.clear()
        self._blocked.clear()
        self._weight = 0
        for known in list(self._running.values()):
            known.elsewhere = True

    def _settle(self, kept: Kept, ready: list[Kept], *, now: bool = False) -> None:
        """Look for the nearest parent that is sent. ``now``: without waiting for any."""
        while kept.ask_next is not None:
            key = kept.ask_next
            above = self._running.get(key) or self._ended.get(key)
            if above is None:
                break
            if above.sent is None and above.span is not None and self._will_want(above.span):
                above.sent = True
            if above.sent:
                kept.parent = key
                break
            undecided = above.sent is None and above.span is not None and not above.elsewhere
            if undecided and not now:
                self._blocked.setdefault(key, {})[kept.key] = kept
                if kept.key not in self._waiting:
                    self._waiting[kept.key] = kept
                    self._weight += kept.size
                return
            words = self._words_of(above.span) if above.span is not None else above.words
            kept.inherited = {**words, **kept.inherited}
            kept.ask_next = above.parent
        if self._waiting.pop(kept.key, None) is not None:
            self._weight -= kept.size
        ready.append(kept)

    def _unblock(self, key: Key, ready: list[Kept]) -> None:
        for kept in self._blocked.pop(key, {}).values():
            self._settle(kept, ready)

    def _keep_in_bounds(self, ready: list[Kept]) -> None:
        heaviest = _config.active.queue_size // SHARE_OF_THE_QUEUE
        too_old = time.monotonic() - LONGEST_WAIT
        while self._waiting:
            oldest = next(iter(self._waiting.values()))
            if self._weight <= heaviest and oldest.since > too_old:
                return
            self._release_oldest(ready)

    def _release_oldest(self, ready: list[Kept]) -> None:
        oldest = next(iter(self._waiting.values()))
        if oldest.ask_next is not None:
            self._blocked.get(oldest.ask_next, {}).pop(oldest.key, None)
        self._settle(oldest, ready, now=True)


def _parent_of(span: ReadableSpan) -> Key | None:
    return key_of(span.parent) if span.parent is not None else None
