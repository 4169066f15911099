"""Files of OTLP/JSON traces: one ExportTraceServiceRequest a line, as the collector has them, or one alone.

A file may come from anywhere. It is read line by line within bounds, and refused with the place and the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from opentelemetry.sdk.trace import ReadableSpan

from sentrial._export.encode_json import encode_json
from sentrial._export.otlp_document import read_document
from sentrial._export.otlp_value import WrongError
from sentrial._export.stored_span import build_spans
from sentrial._store.span_row import SpanRow

LINE_BYTES = 1_000_000
"""What is written stays below it where it can: the collector's receiver takes lines of 1 MiB unless told otherwise."""

DOCUMENT_BYTES = 32 * 1024**2
"""A longer line is refused."""

MOST_PARTS = 2_000_000
"""A line with more lists and objects is refused too: empty ones take twenty times the memory of their letters."""

FILE_BYTES = 2 * 1024**3

_SIGNS = (
    (b"\x1f\x8b", "is compressed with gzip; uncompress it first"),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd; uncompress it first"),
    (b"PK\x03\x04", "is a zip archive; unpack it first"),
    (b"\xff\xfe", "is UTF-16; it must be UTF-8"),
    (b"\xfe\xff", "is UTF-16; it must be UTF-8"),
    (b"SQLite format 3", "is a database, perhaps a local store: name it with --store"),
)
# JSON allows them in strings, and yet there are readers that take them for the end of a line.
_SEPARATORS = (
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
    ("\u0085".encode(), b"\\u0085"),
)
_MARK = b"\xef\xbb\xbf"


class FileRefusedError(Exception):
    """The file is not taken; the message says where in it and why."""


def read_spans(stream: BinaryIO, file_bytes: int = FILE_BYTES) -> Iterator[list[SpanRow]]:
    """The spans of an OTLP/JSON file, document by document.

    Raises:
        FileRefusedError: at the first place where something is wrong.
    """
    read, number = 0, 0
    while line := stream.readline(DOCUMENT_BYTES + 1):
        number += 1
        read += len(line)
        if number == 1:
            _look_at(line)
            line = line.removeprefix(_MARK)
        if read > file_bytes:
            raise FileRefusedError(f"the file is larger than {_mib(file_bytes)}")
        if len(line) > DOCUMENT_BYTES:
            raise FileRefusedError(f"line {number}: longer than {_mib(DOCUMENT_BYTES)}")
        if not line.strip():
            continue
        try:
            yield _read(line, number)
        except json.JSONDecodeError as error:
            if number > 1:
                raise _no_json(error, number) from None
            # One document over several lines, as a person has it written.
            line += stream.read(DOCUMENT_BYTES + 1 - len(line))
            if len(line) > DOCUMENT_BYTES:
                raise _no_json(error, number) from None
            try:
                yield _read(line, 1)
            except json.JSONDecodeError as of_all:
                raise _no_json(of_all, 1) from None


def write_spans(rows: Sequence[SpanRow]) -> Iterator[bytes]:
    """``rows`` as lines of an OTLP/JSON file, each with its line break."""
    yield from _lines(build_spans(rows))


def _lines(spans: Sequence[ReadableSpan]) -> Iterator[bytes]:
    if not spans:
        return
    line = encode_json(spans)
    for separator, escaped in _SEPARATORS:
        line = line.replace(separator, escaped)
    if len(line) < LINE_BYTES or len(spans) == 1:
        yield line + b"\n"
        return
    middle = len(spans) // 2
    yield from _lines(spans[:middle])
    yield from _lines(spans[middle:])


def _look_at(start: bytes) -> None:
    for sign, words in _SIGNS:
        if start.startswith(sign):
            raise FileRefusedError(f"the file {words}")


def _read(line: bytes, number: int) -> list[SpanRow]:
    if line.count(b"{") + line.count(b"[") > MOST_PARTS:
        raise FileRefusedError(f"line {number}: holds more than {MOST_PARTS:,} lists and objects")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        before = line[: error.start]
        place = f"line {number + before.count(10)}, byte {error.start - before.rfind(10)}"
        raise FileRefusedError(f"{place}: is not UTF-8") from None
    try:
        return read_document(text)
    except WrongError as error:
        raise FileRefusedError(f"line {number}: {f'{error.place} ' if error.place else ''}{error.reason}") from None


def _no_json(error: json.JSONDecodeError, number: int) -> FileRefusedError:
    return FileRefusedError(f"line {number + error.lineno - 1}, column {error.colno}: is no JSON ({error.msg})")


def _mib(size: int) -> str:
    return f"{size / 1024**2:,.0f} MiB"
