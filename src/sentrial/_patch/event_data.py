"""The data of each event in the body of a stream: of server-sent events, and of the frames in which AWS sends them."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from struct import Struct

_PRELUDE = Struct("!II4x")
"""How a frame begins: its length, that of its headers, and their checksum, which the client looks at."""

_CHECKSUM = 4


def _read_sent_by_server(content: bytes) -> Iterator[bytes]:
    for line in content.splitlines():
        if line.startswith(b"data:"):
            yield line[5:].strip()


def _read_aws_frames(content: bytes) -> Iterator[bytes]:
    """What a model has sent: the ``bytes`` of each frame that has them. One of AWS's own errors has none."""
    start = 0
    while start + _PRELUDE.size <= len(content):
        length, headers = _PRELUDE.unpack_from(content, start)
        end = start + length
        if length < _PRELUDE.size + _CHECKSUM or end > len(content):
            return  # no frame, or the one that the stream broke off in
        try:
            event = json.loads(content[start + _PRELUDE.size + headers : end - _CHECKSUM])
            yield b64decode(event["bytes"])
        except (KeyError, TypeError, ValueError):
            pass
        start = end


READERS: Mapping[str, Callable[[bytes], Iterator[bytes]]] = {
    "text/event-stream": _read_sent_by_server,
    "application/vnd.amazon.eventstream": _read_aws_frames,
}
"""By the type of the body's content."""
