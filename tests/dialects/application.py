"""An application with a provider of its own, and processors of ours on it."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

from running import Span, by_name

AI = {"llm.model_name": "m"}
"""What makes a span one of interest."""


def provider_with(*processors: SpanProcessor, resource: Resource | None = None) -> TracerProvider:
    """A provider, not the global one, with ``processors``."""
    provider = TracerProvider(shutdown_on_exit=False, resource=resource)
    for processor in processors:
        provider.add_span_processor(processor)
    return provider


def delivered(provider: TracerProvider, server: Any) -> dict[str, Span]:
    """What has arrived by name, once all that has ended is delivered. Raises AssertionError where one came twice."""
    assert provider.force_flush(10_000)
    return by_name(server.spans)


def write_ladder(provider: TracerProvider) -> None:
    """AI spans with others above and between them: an agent below a request, and a call below two of its steps."""
    tracer = provider.get_tracer("app")
    with (
        tracer.start_as_current_span("POST /chat"),
        tracer.start_as_current_span("agent", attributes=AI),
        tracer.start_as_current_span("business"),
        tracer.start_as_current_span("SELECT"),
        tracer.start_as_current_span("call", attributes=AI),
    ):
        pass
