"""Makes spans through a real tracer provider, ids counted up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, Span, SpanKind, set_span_in_context

START_NS = 1_795_183_385_000_000_000
"""2026-11-20 14:03:05 UTC."""


def at(seconds: float) -> int:
    """A time so long after :data:`START_NS`."""
    return START_NS + round(seconds * 1_000) * 1_000_000


class Counted(IdGenerator):
    """Ids that spread over the alphabet of hex digits, and are the same in each run."""

    def __init__(self, seed: int) -> None:
        self._next = seed

    def _count(self) -> int:
        self._next += 1
        return self._next * 0x9E3779B97F4A7C15

    def generate_span_id(self) -> int:
        return self._count() % 2**64 or 1

    def generate_trace_id(self) -> int:
        return (self._count() * 0xC2B2AE3D27D4EB4F1656 + 0xD6E8FEB86659FD93 * self._next**5) % 2**128 or 1


class Maker:
    """Ends spans at fixed times; ``ended`` holds them in the order in which they ended."""

    def __init__(self, seed: int = 0) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(
            id_generator=Counted(seed),
            resource=Resource({"service.name": "support", "telemetry.sdk.language": "python"}),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._tracer = provider.get_tracer("sentrial", "0.1.0")

    def start(
        self,
        name: str,
        seconds: float = 0.0,
        parent: Span | None = None,
        attributes: Mapping[str, Any] | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        links: Sequence[Link] = (),
    ) -> Span:
        """Start a span; without a parent it starts a trace of its own."""
        context = Context() if parent is None else set_span_in_context(parent, Context())
        return self._tracer.start_span(name, context, kind, attributes, links, start_time=at(seconds))

    def add(self, name: str, begin: float, end: float, **given: Any) -> Span:
        """A span from ``begin`` to ``end``, in seconds after the start."""
        span = self.start(name, begin, **given)
        span.end(at(end))
        return span

    @property
    def ended(self) -> Sequence[ReadableSpan]:
        """The spans that have ended, in that order."""
        return self._exporter.get_finished_spans()
