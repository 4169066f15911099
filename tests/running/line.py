"""A queue of ours to a real server, with spans to put into it."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sentrial._export.item import Item
from sentrial._export.queue import Outlet
from sentrial._export.sentrial_api import sentrial

KEY = "sentrial_test_key"


class Line:
    """A queue to a server, and spans to put into it."""

    def __init__(self, url: str = "", *, make: Any = None, **settings: Any) -> None:
        plain: dict[str, Any] = {"queue_size": 10_000_000, "flush_interval": 0.01, "retry_timeout": 30.0}
        self.outlet = Outlet("Sentrial", make or (lambda: sentrial(url, KEY)), **{**plain, **settings})

    def put(self, *names: str, merge: Any = None, **attributes: Any) -> list[ReadableSpan]:
        spans = make_spans(*names, **attributes)
        for span in spans:
            self.outlet.put(Item(span, None, None, merge or (lambda item: item.span)))
        return spans

    @property
    def counts(self) -> dict[str, int]:
        return {"stored": self.outlet.stored, **self.outlet.dropped}


def make_spans(*names: str, **attributes: Any) -> list[ReadableSpan]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for name in names:
        provider.get_tracer("test").start_span(name, attributes=attributes).end()
    spans = list(exporter.get_finished_spans())
    provider.shutdown()
    return spans


def names_at(server: Any) -> list[str]:
    return [span["name"] for span in server.spans]
