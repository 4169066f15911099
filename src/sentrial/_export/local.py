"""The local store as a destination of the export queue."""

from __future__ import annotations

import base64
import logging
import math
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, format_span_id, format_trace_id

from sentrial._export.verdict import Refused, RetryLater, Stored, Verdict
from sentrial._store.connection import PATIENCE_S, open_for_writing
from sentrial._store.failures import StoreBusyError, StoreUnusableError, naming_the_file
from sentrial._store.location import store_path
from sentrial._store.prune import DEFAULT_MAX_BYTES, prune
from sentrial._store.span_row import SpanEvent, SpanLink, SpanRow, Value, dump_rows, load_rows
from sentrial._store.write import write_spans

_log = logging.getLogger("sentrial")

# A connection of the parent process must not be closed in a child: that would touch the parent's files.
_inherited: list[sqlite3.Connection] = []


class LocalDestination:
    """Stores spans in the SQLite file at ``path``; None: the usual place.

    Constructing it touches no file. ``send`` opens the store where it is needed: in the sending thread, in a forked
    child anew, and again when somebody has removed the file. ``max_bytes`` bounds the store's size; the oldest
    sessions go first. ``patience_s`` is how long one ``send`` waits for other processes.
    """

    name = "local store"

    def __init__(
        self, path: Path | None = None, max_bytes: int = DEFAULT_MAX_BYTES, patience_s: float = PATIENCE_S
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._patience_s = patience_s
        self._connection: sqlite3.Connection | None = None
        self._opened_by = 0
        self._file: tuple[int, int] | None = None

    def encode(self, spans: Sequence[ReadableSpan]) -> bytes:
        """The spans as bytes that :meth:`send` stores, now or in another process."""
        rows = [(span, span.get_span_context()) for span in spans]
        return dump_rows([_read_span(span, context) for span, context in rows if context is not None])

    def send(self, body: bytes) -> Verdict:
        """Store an encoded batch. Raises nothing."""
        try:
            rows = load_rows(body)
            path = self._path or store_path()
            with naming_the_file(path):
                connection = self._connect(path)
                write_spans(connection, rows)
        except StoreBusyError as busy:
            return RetryLater(str(busy))
        except StoreUnusableError as unusable:
            self.close()
            return Refused(str(unusable))
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            return Refused(f"local store: the batch is damaged: {error}")
        self._keep_within_size(path, connection)
        return Stored()

    def close(self) -> None:
        """Close the file. A later ``send`` opens it again."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._opened_by == os.getpid():
            connection.close()
        else:
            _inherited.append(connection)

    def _connect(self, path: Path) -> sqlite3.Connection:
        if self._connection is not None and (self._opened_by != os.getpid() or self._file != _identity(path)):
            self.close()
        if self._connection is None:
            self._connection = open_for_writing(path, self._patience_s)
            self._opened_by = os.getpid()
            self._file = _identity(path)
        return self._connection

    def _keep_within_size(self, path: Path, connection: sqlite3.Connection) -> None:
        try:
            with naming_the_file(path):
                removed = prune(connection, self._max_bytes)
        except (StoreBusyError, StoreUnusableError) as error:
            # The batch is stored, and the next one comes by here again.
            _log.debug("not pruned: %s", error)
            return
        if removed is not None:
            _log.warning("local store %s: %s, to stay within %d MiB", path, removed, self._max_bytes // 2**20)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


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
