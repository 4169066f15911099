"""Spans that use every field that there is."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from fixed_spans.maker import Counted, at

TRACE = 0x0AF7651916CD43DD8448EB211C80319C
REMOTE = SpanContext(TRACE, 0x1112131415161718, True, TraceFlags(1), TraceState([("vendor", "ab"), ("k", "v")]))


def every_field() -> list[ReadableSpan]:
    """Three spans of two scopes, as real tracers make them; between them they have every field of the protocol."""
    kept = InMemorySpanExporter()
    limits = SpanLimits(
        max_span_attributes=20, max_events=2, max_links=2, max_event_attributes=1, max_link_attributes=1
    )
    resource = Resource({"service.name": "agent", "process.pid": 7, "tags": ["a", "b"]}, "https://schema/resource")
    provider = TracerProvider(resource=resource, span_limits=limits, id_generator=Counted(5), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    full = provider.get_tracer("full", "1.2", "https://schema/scope", {"scope.key": True})
    bare = provider.get_tracer("bare")

    state = TraceState([("of", "link")])
    links = [Link(SpanContext(TRACE, n, n == 3, TraceFlags(1), state), {"n": n, "m": n}) for n in (1, 2, 3)]
    parent = set_span_in_context(NonRecordingSpan(REMOTE), Context())
    span = full.start_span("root", parent, SpanKind.SERVER, {f"k{n}": n for n in range(30)}, links, at(1))
    span.set_attributes(
        {"text": 'é "quoted" \\ \n\x00\u2028 漢字 🙂', "long": "long " * 200, "flag": True, "part": 0.1}
    )
    span.set_attributes({"least": -(2**63), "most": 2**63 - 1, "whole": 2.0, "big": 1e300, "bytes": b"\xff\x00"})
    span.set_attributes({"many": [1, 2], "words": ["x", ""], "no": [False, True], "parts": [0.5, 1.0], "none": []})
    for number in range(3):
        span.add_event(f"event {number}", {"a": "x" * 300, "b": number}, at(2))
    span.set_status(Status(StatusCode.ERROR, "no answer 🙂"))
    inner = set_span_in_context(span, Context())
    bare.start_span("child", inner, SpanKind.CLIENT, start_time=at(2)).end(at(3))
    span.end(at(4))
    last = full.start_span("alone", Context(), SpanKind.PRODUCER, start_time=at(5))
    last.set_status(Status(StatusCode.OK))
    last.end(at(5))
    return list(kept.get_finished_spans())
