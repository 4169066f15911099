"""The local store as a destination of the export queue."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan

from sentrial import _late_imports
from sentrial._export.stored_span import read_span
from sentrial._export.verdict import Refused, RetryLater, Stored, Verdict
from sentrial._store.bounds import Bounds
from sentrial._store.failures import StoreBusyError, StoreError, StoreUnusableError
from sentrial._store.location import store_path
from sentrial._store.span_row import dump_rows, load_rows
from sentrial._units import write_bytes

if TYPE_CHECKING:
    from sentrial._store.writer import StoreWriter

logger = logging.getLogger("sentrial")

PATIENCE_S = 5.0


class LocalDestination:
    """Stores spans in the SQLite file at ``path``; None: at the usual place.

    Constructing it touches no file: the file is opened by the first ``send``, in the sending thread; again in a forked
    child, and again when somebody has removed it. ``bounds``: what the store may hold; its oldest sessions go first.
    ``patience_s`` is how long a ``send`` waits for other processes, in seconds.
    """

    name = "local store"

    def __init__(
        self, path: Path | None = None, *, bounds: Bounds | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        self._path = path
        self._bounds = bounds or Bounds()
        self._patience_s = patience_s
        self._writer: StoreWriter | None = None

    def encode(self, spans: Sequence[ReadableSpan]) -> bytes:
        """The spans as bytes that :meth:`send` stores, now or in another process."""
        rows = [(span, span.get_span_context()) for span in spans]
        return dump_rows([read_span(span, context) for span, context in rows if context is not None])

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
        self._keep_within_bounds(writer)
        return Stored()

    def close(self) -> None:
        """Close the file. A later ``send`` opens it again."""
        if self._writer is not None:
            self._writer.close()

    def _open(self) -> StoreWriter:
        if self._writer is None:
            # Programs that never store anything here do not load SQLite.
            with _late_imports.undisturbed():
                from sentrial._store.writer import StoreWriter

            path = self._path or store_path()
            self._writer = StoreWriter(path, bounds=self._bounds, patience_s=self._patience_s)
        return self._writer

    def _keep_within_bounds(self, writer: StoreWriter) -> None:
        try:
            old, oldest = writer.expire(), writer.prune()
        except StoreError as error:
            # The batch is stored, and the next one comes by here again.
            logger.debug("sentrial: the local store was not brought within its bounds: %s", error)
            return
        if old is not None:
            days = (self._bounds.max_age_s or 0.0) / 86_400
            logger.info("sentrial: local store %s: %s, more than %.4g days old", writer.path, old, days)
        if oldest is not None:
            size = write_bytes(self._bounds.max_bytes)
            logger.warning("sentrial: local store %s: %s, to stay within %s", writer.path, oldest, size)
