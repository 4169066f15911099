"""The local store as a destination of the export queue."""

from __future__ import annotations

import base64
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, format_span_id, format_trace_id

from sentrial._export.verdict import Refused, RetryLater, Stored, Verdict
from sentrial._store.failures import StoreBusyError, StoreError, StoreUnusableError
from sentrial._store.location import store_path
from sentrial._store.span_row import SpanEvent, SpanLink, SpanRow, Value, dump_rows, load_rows

if TYPE_CHECKING:
    from sentrial._store.writer import StoreWriter

logger = logging.getLogger("sentrial")

MAX_BYTES = 1024**3
PATIENCE_S = 5.0


class LocalDestination:
    """Stores spans in the SQLite file at ``path``; None: at the usual place.

    Constructing it touches no file: the file is opened by the first ``send``, in the sending thread; again in a forked
    child, and again when somebody has removed it. ``max_bytes`` bounds the store; its oldest sessions go first.
    ``patience_s`` is how long a ``send`` waits for other processes, in seconds.
    """

    name = "local store"

    def __init__(self, path: Path | None = None, *, max_bytes: int = MAX_BYTES, patience_s: float = PATIENCE_S) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._patience_s = patience_s
        self._writer: StoreWriter | None = None

    def encode(self, spans: Sequence[ReadableSpan]) -> bytes:
        """The spans as bytes that :meth:`send` stores, now or in another process."""
        rows = [(span, span.get_span_context()) for span in spans]
        return dump_rows([_read_span(span, context) for span, context in rows if context is not None])

    def send(self, body: bytes) -> Verdict:
        """Store an encoded batch; a span that is there already stays as it is. Raises nothing."""
        try:
            writer = self._open()
            writer.write(load_rows(body))
        except StoreBusyError as busy:
            return RetryLater(str(busy))
        except StoreUnusableError as unusable:
            # What was wrong with the file may be mended before the next batch.
            self.close()
            return Refused(str(unusable))
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            return Refused(f"local store: the batch is damaged: {error}")
        self._keep_within_size(writer)
        return Stored()

    def close(self) -> None:
        """Close the file. A later ``send`` opens it again."""
        if self._writer is not None:
            self._writer.close()

    def _open(self) -> StoreWriter:
        if self._writer is None:
            # Programs that never store anything here do not load SQLite.
            from sentrial._store.writer import StoreWriter

            path = self._path or store_path()
            self._writer = StoreWriter(path, max_bytes=self._max_bytes, patience_s=self._patience_s)
        return self._writer

    def _keep_within_size(self, writer: StoreWriter) -> None:
        try:
            removed = writer.prune()
        except StoreError as error:
            # The batch is stored, and the next one comes by here again.
            logger.debug("sentrial: the local store was not brought within its size: %s", error)
            return
        if removed is not None:
            size = self._max_bytes / 2**20
            logger.warning("sentrial: local store %s: %s, to stay within %.4g MiB", writer.path, removed, size)


def _read_span(span: ReadableSpan, context: SpanContext) -> SpanRow:
    scope = span.instrumentation_scope
    start_ns = span.start_time or 0
    return SpanRow(
        trace_id=format_trace_id(context.trace_id),
        span_id=format_span_id(context.span_id),
        parent_span_id=format_span_id(span.parent.span_id) if span.parent is not None else None,
        name=span.name,
        start_ns=start_ns,
        end_ns=start_ns if span.end_time is None else span.end_time,
        kind=span.kind.name,
        status=span.status.status_code.name,
        status_message=span.status.description,
        attributes=_plain_map(span.attributes),
        events=tuple(SpanEvent(each.name, each.timestamp, _plain_map(each.attributes)) for each in span.events),
        links=tuple(
            SpanLink(
                format_trace_id(each.context.trace_id),
                format_span_id(each.context.span_id),
                _plain_map(each.attributes),
            )
            for each in span.links
        ),
        scope_name=scope.name if scope is not None else "",
        scope_version=(scope.version or "") if scope is not None else "",
        resource=_plain_map(span.resource.attributes),
    )


def _plain_map(attributes: Mapping[str, Any] | None) -> dict[str, Value]:
    return {str(key): _plain(value) for key, value in (attributes or {}).items()}


def _plain(value: Any) -> Value:
    """``value`` as JSON can hold it; bytes and numbers that are none become strings, as in OTLP's JSON."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return _plain_map(value)
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    return str(value)


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
