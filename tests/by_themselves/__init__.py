"""Requests, model calls and sessions as tests of auto-sessions make and read them."""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

import sentrial
from receivers import SentrialStandIn
from sentrial._spans import llm
from sentrial.types import LlmRequest, LlmResponse, Usage

KEY = "sentrial_test_key"
WEB = "opentelemetry.instrumentation.asgi"
CALL = "chat gpt-4o"


def call_model(text: str = "hello", error: BaseException | None = None) -> None:
    """A call that is answered, as a patched client tells of it; with ``error``, one that fails."""
    call = llm.begin(LlmRequest(operation="chat", provider="openai", model="gpt-4o"))
    if error is not None:
        call.fail(error)
    else:
        call.succeed(LlmResponse(model="gpt-4o", usage=Usage(input_tokens=len(text), output_tokens=1)))


def own_provider(sampler: Any = None) -> InMemorySpanExporter:
    """A provider of the application's, which is there before us, and what its exporter gets."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler, resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def configure(server: SentrialStandIn, auto_session: str, **settings: Any) -> None:
    """Sessions that begin by themselves, for ``server``."""
    sentrial.configure(KEY, server.url, auto_session=auto_session, flush_interval=0.01, **settings)


def inside(name: str, scope: str = "db", **said: Any) -> Any:
    """A span of another instrumentation, current in a block."""
    # A tracer of its own each time: one that was made before keeps to the provider of the test before.
    return trace.get_tracer(scope).start_as_current_span(name, **said)


def request(name: str = "GET /ask", **attributes: Any) -> Any:
    """The span of a request."""
    return inside(name, WEB, kind=SpanKind.SERVER, attributes=attributes)


def sessions(server: SentrialStandIn, count: int) -> list[list[dict[str, Any]]]:
    """The spans of each session, once ``count`` have come to their end, by the beginning of the root.

    Raises AssertionError where there are more, or a span has no parent in its session.
    """
    spans = server.spans
    while len(roots := [span for span in spans if span["parent_span_id"] is None]) < count:
        spans = server.wait_for_spans(len(spans) + 1)
    assert sentrial.flush(10)
    spans = server.spans
    roots = sorted((span for span in spans if span["parent_span_id"] is None), key=lambda root: root["start_ns"])
    found = [[span for span in spans if span["trace_id"] == root["trace_id"]] for root in roots]
    assert (len(roots), sum(map(len, found))) == (count, len(spans)), [span["name"] for span in spans]
    for each in found:
        ids = {span["span_id"] for span in each} | {None}
        assert [span["name"] for span in each if span["parent_span_id"] not in ids] == []
    return found


def tree(spans: list[dict[str, Any]]) -> dict[str, str | None]:
    """The name of each span's parent."""
    names = {span["span_id"]: span["name"] for span in spans}
    return {span["name"]: names.get(span["parent_span_id"]) for span in spans}


def names(spans: list[dict[str, Any]]) -> list[str]:
    """The names of the spans, sorted."""
    return sorted(span["name"] for span in spans)
