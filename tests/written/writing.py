"""A real SDK provider with a processor that stamps as ours does and keeps every span that ends."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from sentrial._export.stamp import stamp
from written.recorded import Recorded


class Writing(SpanProcessor):
    """Keeps what ends, in order."""

    def __init__(self) -> None:
        self.spans: list[Recorded] = []
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(self)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        stamp(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(Recorded.ending(span))

    def named(self, name: str) -> Recorded:
        """The one span of that name."""
        (found,) = [recorded for recorded in self.spans if recorded.span.name == name]
        return found

    @property
    def last(self) -> Recorded:
        """The one that ended last."""
        return self.spans[-1]
