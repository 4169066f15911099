"""What our patches record, seen the way our own road sees it: through a processor of a plain SDK provider."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler

from conformance.keep import keep
from sentrial import _payload

__all__ = ["Recorder"]


class Recorder(SpanProcessor):
    """Keeps every span that ends, and the content that lay beside it."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        self.spans: list[ReadableSpan] = []
        self.started = 0
        self.provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        self.provider.add_span_processor(self)
        self._content: dict[int, dict[str, Any]] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Count it."""
        self.started += 1

    def on_end(self, span: ReadableSpan) -> None:
        """Keep it."""
        context = span.get_span_context()
        payload = _payload.of(context.trace_id, context.span_id)
        self._content[context.span_id] = payload.content() if payload is not None else {}
        keep(span, self._content[context.span_id])
        self.spans.append(span)

    @property
    def one(self) -> ReadableSpan:
        """The only span."""
        assert self.started == len(self.spans) == 1
        return self.spans[0]

    @property
    def attributes(self) -> dict[str, Any]:
        """The only span's attributes."""
        return dict(self.one.attributes or {})

    def content(self, span: ReadableSpan | None = None) -> dict[str, Any]:
        """The content of ``span`` or of the only one, decoded where it is JSON."""
        found = self._content[(span or self.one).get_span_context().span_id]
        return {key: json.loads(value) if key.startswith("gen_ai.") else value for key, value in found.items()}

    @property
    def input(self) -> Any:
        """The only span's input messages."""
        return self.content().get("gen_ai.input.messages")

    @property
    def output(self) -> Any:
        """The only span's output messages."""
        return self.content().get("gen_ai.output.messages")

    def clear(self) -> None:
        """Forget what was recorded."""
        self.spans.clear()
        self._content.clear()
        self.started = 0
