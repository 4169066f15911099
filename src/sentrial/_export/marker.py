"""What ``OTEL_TRACES_EXPORTER=sentrial`` loads: a mark, for our own road delivers.

The SDK would put an exporter behind a batch queue of its own, which drops what it has no room for, and never says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class SentrialExporter(SpanExporter):
    """Exports nothing."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Nothing is to be done: the spans have gone their way when they ended."""
        return SpanExportResult.SUCCESS
