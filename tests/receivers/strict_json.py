"""What the strictest OTLP/JSON reader would complain of."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

Check = Callable[[Any, str], Iterator[str]]


def complaints(document: Any) -> list[str]:
    """Everything wrong with an ExportTraceServiceRequest; empty when a strict reader would take it."""
    return list(_REQUEST(document, "$"))


def _message(required: tuple[str, ...] = (), **fields: Check) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no object"
            return
        for name in required:
            if name not in value:
                yield f"{path}: {name} is missing"
        for name, item in value.items():
            if name not in fields:
                yield f"{path}: {name} is no field"
            else:
                yield from fields[name](item, f"{path}.{name}")

    return check


def _list(item_check: Check) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list) or not value:
            yield f"{path}: {value!r} is no list with items"
            return
        for index, item in enumerate(value):
            yield from item_check(item, f"{path}[{index}]")

    return check


def _matching(pattern: str, what: str) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.DOTALL):
            yield f"{path}: {value!r} is not {what}"

    return check


def _number(low: int, high: int) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if type(value) is not int or not low <= value <= high:
            yield f"{path}: {value!r} is no number from {low} to {high}"

    return check


def _text(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: {value!r} is no text"
    elif any("\ud800" <= character <= "\udfff" for character in value):
        yield f"{path}: lone surrogate"


def _int64(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+", value) or not -(2**63) <= int(value) < 2**63:
        yield f"{path}: {value!r} is not a 64-bit integer as text"


def _any_value(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict) or len(value) != 1:
        yield f"{path}: {value!r} is not an object with exactly one value"
        return
    ((kind, raw),) = value.items()
    if kind not in _VALUES:
        yield f"{path}: {kind} is no kind of value"
    else:
        yield from _VALUES[kind](raw, f"{path}.{kind}")


def _bool(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{path}: {value!r} is no boolean"


def _double(value: Any, path: str) -> Iterator[str]:
    if type(value) not in (int, float) or not math.isfinite(value):
        yield f"{path}: {value!r} is no finite number"


def _base64(value: Any, path: str) -> Iterator[str]:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        yield f"{path}: {value!r} is not base64"


_UINT32 = _number(1, 2**32 - 1)
_TRACE_ID = _matching(r"(?!0{32})[0-9a-f]{32}", "32 lower-case hex digits, not all 0")
_SPAN_ID = _matching(r"(?!0{16})[0-9a-f]{16}", "16 lower-case hex digits, not all 0")
_NANOS = _matching(r"[1-9]\d{0,19}", "nanoseconds as text")
_PAIR = _message(("key", "value"), key=_matching(".+", "a key"), value=_any_value)
_PAIRS = _list(_PAIR)
_VALUES: dict[str, Check] = {
    "stringValue": _text,
    "boolValue": _bool,
    "intValue": _int64,
    "doubleValue": _double,
    "bytesValue": _base64,
    "arrayValue": _message(("values",), values=_list(_any_value)),
    "kvlistValue": _message(("values",), values=_PAIRS),
}
_EVENT = _message(
    ("timeUnixNano", "name"), timeUnixNano=_NANOS, name=_text, attributes=_PAIRS, droppedAttributesCount=_UINT32
)
_LINK = _message(
    ("traceId", "spanId"),
    traceId=_TRACE_ID, spanId=_SPAN_ID, traceState=_text, flags=_UINT32,
    attributes=_PAIRS, droppedAttributesCount=_UINT32,
)  # fmt: skip
_SPAN = _message(
    ("traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "status"),
    traceId=_TRACE_ID, spanId=_SPAN_ID, parentSpanId=_SPAN_ID, traceState=_text, flags=_UINT32, name=_text,
    kind=_number(1, 5), startTimeUnixNano=_NANOS, endTimeUnixNano=_NANOS,
    attributes=_PAIRS, droppedAttributesCount=_UINT32, events=_list(_EVENT), droppedEventsCount=_UINT32,
    links=_list(_LINK), droppedLinksCount=_UINT32, status=_message(("code",), code=_number(0, 2), message=_text),
)  # fmt: skip
_SCOPE = _message(("name",), name=_text, version=_text, attributes=_PAIRS)
_REQUEST = _message(
    ("resourceSpans",),
    resourceSpans=_list(
        _message(
            ("resource", "scopeSpans"),
            resource=_message(attributes=_PAIRS),
            schemaUrl=_text,
            scopeSpans=_list(_message(("scope", "spans"), scope=_SCOPE, spans=_list(_SPAN), schemaUrl=_text)),
        )
    ),
)
