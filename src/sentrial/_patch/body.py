"""The body of an HTTP response that the program reads itself: kept by reference as it passes, read when it ends.

That is what ``with_raw_response`` and ``with_streaming_response`` are for. The program's own reading is untouched; ours
costs one more decoding of the body, at its end.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from sentrial._patch import event_data
from sentrial._patch.spec import Operation

MAX_BODY = 16_000_000
"""Bytes of one body that are kept, and that it may hold; a larger one is not read, and its call says no answer."""

_WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Body:
    """Gathers the bytes of a body, as they come over the wire."""

    def __init__(self, operation: Operation, headers: Mapping[str, str]) -> None:
        self._operation = operation
        self._coding = headers.get("content-encoding", "identity").strip().lower()
        self._cut = event_data.READERS.get(headers.get("content-type", "").partition(";")[0].strip().lower())
        self._pieces: list[bytes] = []
        self._size = 0
        self.complete = False
        """Whether the body holds the whole answer; known once :meth:`result` has been called."""

    def add(self, chunk: bytes) -> None:
        """Keep one piece."""
        self._size += len(chunk)
        if self._size <= MAX_BODY:
            self._pieces.append(chunk)

    def add_plain(self, content: bytes) -> None:
        """Keep the whole body, where the client has taken it from the wire and decoded it."""
        self._coding = "identity"
        self.add(content)

    def result(self) -> Any:
        """The answer as a dict in the shape of the client's response object; ``None`` where it cannot be read."""
        content = self._decoded() if self._size <= MAX_BODY else None
        if not content:
            return None
        if self._cut is not None:
            return self._read_events(self._cut(content))
        try:
            answer = json.loads(content)
        except ValueError:
            return None  # broken off, or no JSON: a proxy's error page
        self.complete = True
        return answer

    def _decoded(self) -> bytes | None:
        content = b"".join(self._pieces)
        if self._coding == "identity":
            return content
        window = _WINDOW.get(self._coding)
        if window is None:
            return None  # brotli and zstd are not in the standard library
        try:
            content = zlib.decompressobj(window).decompress(content, MAX_BODY + 1)
        except zlib.error:
            return None
        return content if len(content) <= MAX_BODY else None

    def _read_events(self, events: Iterable[bytes]) -> Any:
        accumulator = self._operation.make_accumulator()
        for data in events:
            if data.decode("utf-8", "replace") == self._operation.last_event:
                self.complete = True
                break
            try:
                chunk = json.loads(data)
            except ValueError:
                continue  # the event that the stream broke off in
            accumulator.add(chunk)
        self.complete = self.complete or accumulator.complete
        return accumulator.result()
