"""Our processor in a provider: where spans come onto our road."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from sentrial import _guard
from sentrial._export.pipeline import Pipeline
from sentrial._export.stamp import stamp
from sentrial._foreign import SCOPE
from sentrial._session import Session


class Tap(SpanProcessor):
    """Our processor in one provider. The provider's shutdown flushes; the road itself belongs to the process."""

    def __init__(self, pipeline: Pipeline, *, ours: bool) -> None:
        self._pipeline = pipeline
        self._ours = ours
        self._open = True

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp what starts inside a session."""
        if self._open:
            try:
                if not self._pipeline.running:
                    return
                scope = span.instrumentation_scope
                is_of_us = scope is not None and scope.name == SCOPE
                if self._ours or is_of_us:
                    self._pipeline.wake()
                session = stamp(span, parent_context)
                if session is None and is_of_us:
                    self._pipeline.announce(span, ours=self._ours)
                watcher = self._pipeline.watcher
                if watcher is not None:
                    watcher.started(span, session)
            except Exception as error:  # noqa: BLE001 - the provider would hand it to the user
                _guard.failed("stamping a span", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue what ended."""
        if self._open:
            try:
                self._pipeline.take(span, ours=self._ours, session=self._watched(span))
                watcher = self._pipeline.watcher
                if watcher is not None:
                    watcher.ended(span, ours=self._ours)
            except Exception as error:  # noqa: BLE001 - the provider would hand it to the user
                _guard.failed("queueing a span", error)

    def _watched(self, span: ReadableSpan) -> Session | None:
        watcher = self._pipeline.watcher
        if watcher is None:
            return None
        try:
            return watcher.ending(span)
        except Exception as error:  # noqa: BLE001 - the span itself is queued all the same
            _guard.failed("finding the session of a span", error)
            return None

    @_guard.guarded("delivering at the end of a provider", _guard.nothing)
    def shutdown(self) -> None:
        """Deliver what is queued, and take no more spans of this provider."""
        if self._open:
            self._pipeline.provider_shuts_down()
            self._open = False

    @_guard.guarded("delivering for a provider", bool)
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait for delivery, ``timeout_millis`` at most."""
        return self._pipeline.flush(timeout_millis / 1000)
