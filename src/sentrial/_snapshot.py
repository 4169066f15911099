"""A snapshot of the user's values: cheap to take on the user's thread, and deaf to what happens to them later.

Containers are copied, immutable leaves are kept by reference (a 20 MB string costs nothing here), and anything else is
described. Nothing is consumed, deep-copied or changed, and the work is bounded by :data:`MAX_NODES`.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import pathlib
import uuid
from collections.abc import Mapping
from typing import Any

MAX_NODES = 20_000
"""How many values one snapshot looks at; what lies beyond is elided and said."""

MAX_DEPTH = 24
"""How deep one snapshot looks; also what ends a value that contains itself."""

MAX_REPR = 2_000
"""How many characters of an unknown object's ``repr`` are kept."""

_LEAVES = frozenset({str, int, float, bool, bytes, type(None)})
_IMMUTABLE = (
    str,
    int,
    float,
    bytes,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    uuid.UUID,
    enum.Enum,
    pathlib.PurePath,
    complex,
    range,
)


class Tally:
    """What one snapshot weighs: ``size`` in characters and bytes, ``nodes`` seen, ``elided`` places."""

    __slots__ = ("elided", "nodes", "size")

    def __init__(self) -> None:
        self.size = 0
        self.nodes = 0
        self.elided = 0


def snapshot(value: object, tally: Tally) -> Any:
    """Copy ``value`` as far as it can change; add its weight to ``tally``. Never raises for odd values.

    The result holds exact dicts and lists of leaves; leaves are immutable, and may still be no JSON (dates, bytes).
    """
    kind = type(value)
    if kind is str:
        tally.size += len(value)  # type: ignore[arg-type]  # a str, by the line above
        return value
    if kind in _LEAVES:
        return value
    return _copy(value, kind, 0, tally)


def _copy(value: Any, kind: type, depth: int, tally: Tally) -> Any:
    if kind is dict:
        # copy() is one step under the interpreter's lock: a dict that another thread changes cannot trip the loop.
        return _fill_dict(value.copy(), depth, tally)
    if kind is list or kind is tuple:
        return _fill_list(value, depth, tally)
    if isinstance(value, _IMMUTABLE):
        if isinstance(value, str | bytes):
            tally.size += len(value)
        return value
    try:
        return _copy_object(value, depth, tally)
    except Exception as error:  # noqa: BLE001 - the user's own __repr__, property or mapping may raise anything
        return f"<{kind.__name__}, unreadable: {type(error).__name__}>"


def _fill_dict(copy: dict[Any, Any], depth: int, tally: Tally) -> Any:
    room = MAX_NODES - tally.nodes
    if depth >= MAX_DEPTH or room <= 0:
        tally.elided += 1
        return f"[{len(copy)} entries left out]"
    if len(copy) > room:
        tally.elided += 1
        left_out = len(copy) - room
        copy = dict(list(copy.items())[:room])
        copy["..."] = f"[{left_out} entries left out]"
    tally.nodes += len(copy)
    size = 0
    for key, item in copy.items():
        kind = type(item)
        if kind is str:
            size += len(item)
        elif kind not in _LEAVES:
            copy[key] = _copy(item, kind, depth + 1, tally)
        elif kind is bytes:
            size += len(item)
    tally.size += size + 16 * len(copy)
    return copy


def _fill_list(value: Any, depth: int, tally: Tally) -> Any:
    room = MAX_NODES - tally.nodes
    if depth >= MAX_DEPTH or room <= 0:
        tally.elided += 1
        return f"[{len(value)} items left out]"
    copy = list(value[:room])
    left_out = len(value) - len(copy)
    tally.nodes += len(copy)
    size = 0
    for index, item in enumerate(copy):
        kind = type(item)
        if kind is str:
            size += len(item)
        elif kind not in _LEAVES:
            copy[index] = _copy(item, kind, depth + 1, tally)
        elif kind is bytes:
            size += len(item)
    if left_out > 0:
        tally.elided += 1
        copy.append(f"[{left_out} items left out]")
    tally.size += size + 8 * len(copy)
    return copy


def _copy_object(value: Any, depth: int, tally: Tally) -> Any:
    if isinstance(value, bytearray | memoryview):
        tally.size += len(value)
        return bytes(value)
    if isinstance(value, list | tuple):
        return _fill_list(list(value), depth, tally)
    if isinstance(value, set | frozenset):
        return _fill_list(list(value), depth, tally)
    if isinstance(value, Mapping):
        return _fill_dict(dict(value), depth, tally)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fill_dict({f.name: getattr(value, f.name, None) for f in dataclasses.fields(value)}, depth, tally)
    kind = type(value)
    if hasattr(kind, "__pydantic_fields__") or hasattr(kind, "model_fields"):
        # A pydantic model's fields live in its __dict__; model_dump() would run the user's own serialisers.
        extra = getattr(value, "__pydantic_extra__", None) or {}
        return _fill_dict({**vars(value), **extra}, depth, tally)
    if hasattr(kind, "dtype") and hasattr(kind, "item"):
        if getattr(value, "shape", None) == ():
            return _copy(value.item(), type(value.item()), depth, tally)
        return f"<{kind.__name__} of shape {value.shape}, {value.dtype}>"
    text = repr(value)
    if len(text) > MAX_REPR:
        tally.elided += 1
        text = f"{text[:MAX_REPR]}[{len(text) - MAX_REPR} characters left out]"
    tally.size += len(text)
    return text
