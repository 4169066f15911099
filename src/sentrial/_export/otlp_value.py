"""The fields of an OTLP/JSON document, read by somebody who trusts none of them.

Source: OTLP 1.x, "JSON Protobuf Encoding". What is wrong is said with its place in the document.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sentrial._store.span_row import Value

T = TypeVar("T")

DEEPEST = 32
"""How deep lists and maps may stand in an attribute: protobuf's own readers take about as much."""

INT64 = range(-(2**63), 2**63)
UINT64 = range(2**64)
UINT32 = range(2**32)

_WHOLE = re.compile(r"-?[0-9]{1,20}")
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")
_LONGEST_SHOWN = 40


class WrongError(Exception):
    """What is wrong, and where: the place grows while the error rises."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place

    def inside(self, place: str) -> WrongError:
        """The same, seen from one level above."""
        dot = "." if self.place and not self.place.startswith("[") else ""
        return WrongError(self.reason, f"{place}{dot}{self.place}")


def wrong(expected: str, found: object) -> WrongError:
    """``found`` where ``expected`` should be."""
    return WrongError(f"must be {expected}, not {shown(found)}")


def shown(value: object) -> str:
    """``value`` for a message: its kind, and its beginning where it is short and plain."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def read_object(value: object) -> dict[str, Any]:
    """An object; null and absence count as an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong("an object", value)
    return value


def read_each(holder: Mapping[str, Any], key: str, read: Callable[[Any], T]) -> list[T]:
    """Each item of the list under ``key``, read."""
    items = holder.get(key)
    if items is None:
        return []
    if not isinstance(items, list):
        raise wrong("a list", items).inside(key)
    found = []
    for place, item in enumerate(items):
        try:
            found.append(read(item))
        except WrongError as error:
            raise error.inside(f"{key}[{place}]") from None
    return found


def read_field(holder: Mapping[str, Any], key: str, read: Callable[[Any], T]) -> T:
    """What stands under ``key``, read; null where it is absent."""
    try:
        return read(holder.get(key))
    except WrongError as error:
        raise error.inside(key) from None


def read_text(value: object) -> str:
    """A text; null counts as an empty one."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong("a text", value)
    return value


def read_id(digits: int) -> Callable[[object], str]:
    """A reader of ids of so many hex digits."""
    pattern = re.compile(f"[0-9a-fA-F]{{{digits}}}")

    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise wrong(f"{digits} hex digits", value)
        if not value.strip("0"):
            raise WrongError("must not be all zeros")
        return value.lower()

    return read


def read_whole(within: range) -> Callable[[object], int]:
    """A reader of whole numbers, or of texts of such; absence is 0."""

    def read(value: object) -> int:
        if value is None:
            return 0
        number = None
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            number = int(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        if number is None or number not in within:
            bits = (within.stop - within.start).bit_length() - 1
            raise wrong(f"a whole number of {bits} bits", value)
        return number

    return read


def read_enum(names: tuple[str, ...]) -> Callable[[object], str]:
    """A reader of one of ``names``, by its number or its name in the protocol; absence is the first one."""

    def read(value: object) -> str:
        if value is None:
            return names[0]
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
            return names[value]
        if isinstance(value, str) and value in names:
            return value
        raise wrong(f"a number from 0 to {len(names) - 1}", value)

    return read


def read_attributes(holder: Mapping[str, Any], key: str = "attributes", depth: int = 0) -> dict[str, Value]:
    """Attributes: a list of keys with values. Of two with one key the last one counts."""

    def read_pair(item: object) -> tuple[str, Value]:
        pair = read_object(item)
        name = read_field(pair, "key", read_text)
        return name, read_field(pair, "value", lambda value: read_value(value, depth))

    return dict(read_each(holder, key, read_pair))


def read_value(value: object, depth: int = 0) -> Value:
    """One value of an attribute; null where it says nothing."""
    said = read_object(value)
    if not said:
        return None
    if len(said) > 1:
        raise WrongError(f"must hold one value, not {len(said)}")
    ((kind, raw),) = said.items()
    reader = _VALUES.get(kind)
    if reader is None:
        raise WrongError(f"holds no kind of value that is known, but {shown(kind)}")
    if depth > DEEPEST:
        raise WrongError(f"is nested more than {DEEPEST} levels deep")
    try:
        return reader(raw, depth)
    except WrongError as error:
        raise error.inside(kind) from None


def _string(raw: object, _depth: int) -> str:
    if not isinstance(raw, str):
        raise wrong("a text", raw)
    return raw


def _bool(raw: object, _depth: int) -> bool:
    if not isinstance(raw, bool):
        raise wrong("true or false", raw)
    return raw


_int64 = read_whole(INT64)


def _int(raw: object, _depth: int) -> int:
    if raw is None:
        raise wrong("a whole number of 64 bits", raw)
    return _int64(raw)


def _double(raw: object, _depth: int) -> float | str:
    if isinstance(raw, str) and raw in _NOT_FINITE:
        return raw
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        raise wrong("a number", raw)
    number = float(raw)
    return number if abs(number) != float("inf") else f"{'-' * (number < 0)}Infinity"


def _bytes(raw: object, _depth: int) -> bytes:
    try:
        return base64.b64decode(read_text(raw), validate=True)
    except (binascii.Error, ValueError):
        raise wrong("base64", raw) from None


def _array(raw: object, depth: int) -> tuple[Value, ...]:
    return tuple(read_each(read_object(raw), "values", lambda value: read_value(value, depth + 1)))


def _map(raw: object, depth: int) -> dict[str, Value]:
    return read_attributes(read_object(raw), "values", depth + 1)


_VALUES: Mapping[str, Callable[[Any, int], Value]] = {
    "stringValue": _string,
    "boolValue": _bool,
    "intValue": _int,
    "doubleValue": _double,
    "bytesValue": _bytes,
    "arrayValue": _array,
    "kvlistValue": _map,
}
