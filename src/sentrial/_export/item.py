"""One span on our road: what ended, with the content beside it, made ready once however many destinations take it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from sentrial._payload import Payload
from sentrial._session import Session

_WEIGHT_OF_A_SPAN = 1_000


class Item:
    """A span that has ended, its payload and its session.

    ``size`` is its weight in bytes, near enough for a queue's bound. ``counts``: whether it is one of the spans that
    are counted as delivered or lost.
    """

    counts = True
    __slots__ = ("_lock", "_merge", "_ready", "payload", "session", "size", "span")

    def __init__(
        self,
        span: ReadableSpan,
        payload: Payload | None,
        session: Session | None,
        merge: Callable[[Item], ReadableSpan],
    ) -> None:
        self.span = span
        self.payload = payload
        self.session = session
        # What we wrote ourselves has its texts in the payload; what others wrote has them on the span.
        self.size = _WEIGHT_OF_A_SPAN + (_weight_of_texts(span) if payload is None else payload.size)
        self._merge = merge
        self._lock = threading.Lock()
        self._ready: ReadableSpan | None = None

    @property
    def is_root(self) -> bool:
        """Whether it is the root span of its session, without which the session cannot be read."""
        context, session = self.span.context, self.session
        return context is not None and session is not None and context.span_id == session.context.span_id

    @property
    def is_due(self) -> bool:
        """Whether there still is something to deliver."""
        return True

    def ready(self) -> ReadableSpan:
        """The span as it may leave: content merged, masked. Made once; for threads of ours only."""
        with self._lock:
            if self._ready is None:
                self._ready = self._merge(self)
            return self._ready


def counted(entries: Iterable[object]) -> int:
    """How many of ``entries`` of a queue are spans that are counted."""
    return sum(isinstance(entry, Item) and entry.counts for entry in entries)


def ended(spans: Iterable[ReadableSpan]) -> int:
    """How many of ``spans`` are counted: one that goes on will come again."""
    return sum(span.end_time is not None for span in spans)


def _weight_of_texts(span: ReadableSpan) -> int:
    attributes = span.attributes
    texts = sum([len(value) for value in attributes.values() if type(value) is str]) if attributes else 0
    for event in span.events:
        texts += sum([len(value) for value in (event.attributes or {}).values() if type(value) is str])
    return texts


class _Copy(ReadableSpan):
    """A span that still says how much of it the SDK dropped for its limits."""

    def __init__(self, original: ReadableSpan, **fields: Any) -> None:
        super().__init__(**fields)
        self._dropped = original.dropped_attributes, original.dropped_events, original.dropped_links

    @property
    def dropped_attributes(self) -> int:
        return self._dropped[0]

    @property
    def dropped_events(self) -> int:
        return self._dropped[1]

    @property
    def dropped_links(self) -> int:
        return self._dropped[2]


def copy_span(span: ReadableSpan, **changes: Any) -> ReadableSpan:
    """``span`` with ``changes``; the span that the application holds stays as it is."""
    fields: dict[str, Any] = {
        "name": span.name,
        "context": span.context,
        "parent": span.parent,
        "resource": span.resource,
        "attributes": span.attributes,
        "events": span.events,
        "links": span.links,
        "kind": span.kind,
        "status": span.status,
        "start_time": span.start_time,
        "end_time": span.end_time,
        "instrumentation_scope": span.instrumentation_scope,
    }
    return _Copy(span, **{**fields, **changes})
