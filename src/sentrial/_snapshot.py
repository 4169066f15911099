"""A snapshot of the user's values: cheap to take on the user's thread, and deaf to what happens to them later.

Containers are copied, immutable leaves are kept by reference (a 20 MB string costs nothing here), and anything else is
described. Nothing is consumed, deep-copied or changed, and the work is bounded by :data:`MAX_NODES`.
"""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import uuid
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
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
    fractions.Fraction,
    uuid.UUID,
    enum.Enum,
    pathlib.PurePath,
    complex,
    range,
)
# Sized, and looked into without running code of the user's.
_COLLECTIONS: tuple[type, ...] = (
    set,
    frozenset,
    collections.deque,
    array.array,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)
_BUFFERS = (bytearray, memoryview)
_PYDANTIC = ("__pydantic_fields__", "model_fields", "__fields_set__")


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
    Keys are leaves too.
    """
    kind = type(value)
    if kind is str:
        tally.size += len(value)  # type: ignore[arg-type]  # a str, by the line above
        return value
    if kind in _LEAVES and kind is not bytes:
        return value
    return _copy(value, kind, 0, tally)


def _copy(value: Any, kind: type, depth: int, tally: Tally) -> Any:
    # Asked of the class, never of the value: a proxy's __class__ is the user's code, and may lie or raise.
    try:
        if kind is dict:
            return _fill_dict(value, dict.__len__(value), depth, tally)
        if kind is list or kind is tuple:
            return _fill_list(value, len(value), depth, tally)
        if _is_pydantic(kind):
            # A pydantic model's fields live in its __dict__; model_dump() would run the user's own serialisers.
            entries = {**vars(value), **(getattr(value, "__pydantic_extra__", None) or {})}
            return _fill_dict(entries, len(entries), depth, tally)
        if issubclass(kind, _IMMUTABLE):
            if issubclass(kind, str):
                value = str.__str__(value)
                tally.size += len(value)
            elif issubclass(kind, bytes):
                tally.size += bytes.__len__(value)
            return value
        return _copy_object(value, kind, depth, tally)
    except Exception as error:  # noqa: BLE001 - the user's own __repr__, property or mapping may raise anything
        return f"<{kind.__name__}, unreadable: {type(error).__name__}>"


def _fill_dict(value: dict[Any, Any], count: int, depth: int, tally: Tally) -> Any:
    """The first of ``count`` entries, all or some of which are in ``value``."""
    room = MAX_NODES - tally.nodes
    if depth >= MAX_DEPTH or room <= 0:
        tally.elided += 1
        return f"[{count} entries left out]"
    # copy() is one step under the interpreter's lock: a dict that another thread changes cannot trip the loop.
    copy = dict.copy(value) if dict.__len__(value) <= room else _first_entries(value, room)
    for key in copy:
        if type(key) is not str:
            copy = {_copy_key(each): item for each, item in copy.items()}
            break
    left_out = count - len(copy)
    if left_out > 0:
        tally.elided += 1
        copy["..."] = f"[{left_out} entries left out]"
    tally.nodes += len(copy)
    size = 0
    for key, item in copy.items():
        kind = type(item)
        if type(key) is str:
            size += len(key)
        if kind is str:
            size += len(item)
        elif kind not in _LEAVES:
            copy[key] = _copy(item, kind, depth + 1, tally)
        elif kind is bytes:
            size += len(item)
    tally.size += size + 16 * len(copy)
    return copy


def _first_entries(value: dict[Any, Any], room: int) -> dict[Any, Any]:
    try:
        return dict(islice(dict.items(value), room))
    except RuntimeError:
        # Another thread has changed its size in the meantime.
        return dict(islice(dict.copy(value).items(), room))


def _copy_key(key: Any) -> Any:
    kind = type(key)
    if issubclass(kind, str):
        return str.__str__(key)
    if issubclass(kind, _IMMUTABLE) or key is None:
        return key
    try:
        return str.__str__(repr(key))[:MAX_REPR]
    except Exception as error:  # noqa: BLE001 - the user's own __repr__ may raise anything
        return f"<{kind.__name__}, unreadable: {type(error).__name__}>"


def _fill_list(value: Any, count: int, depth: int, tally: Tally) -> Any:
    """The first of ``count`` items of ``value``, which is iterated, unless it is a list or tuple."""
    room = MAX_NODES - tally.nodes
    if depth >= MAX_DEPTH or room <= 0:
        tally.elided += 1
        return f"[{count} items left out]"
    copy = list(value[:room] if type(value) in (list, tuple) else islice(value, room))
    left_out = count - len(copy)
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


def _copy_object(value: Any, kind: type, depth: int, tally: Tally) -> Any:
    if issubclass(kind, _BUFFERS):
        copy = bytes(value)
        tally.size += len(copy)
        return copy
    # Of subclasses the stored items, not what their own methods make of them.
    if issubclass(kind, list):
        return _fill_list(list.__getitem__(value, slice(0, MAX_NODES)), list.__len__(value), depth, tally)
    if issubclass(kind, tuple):
        return _fill_list(tuple.__getitem__(value, slice(0, MAX_NODES)), tuple.__len__(value), depth, tally)
    if issubclass(kind, dict):
        return _fill_dict(value, dict.__len__(value), depth, tally)
    if issubclass(kind, _COLLECTIONS):
        return _fill_list(value, len(value), depth, tally)
    if issubclass(kind, Mapping):
        entries = {key: value[key] for key in islice(value, max(0, MAX_NODES - tally.nodes))}
        return _fill_dict(entries, len(value), depth, tally)
    if dataclasses.is_dataclass(kind):
        entries = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(kind)}
        return _fill_dict(entries, len(entries), depth, tally)
    if hasattr(kind, "dtype") and hasattr(kind, "item"):
        return _copy_array(value, kind, depth, tally)
    return _describe(value, tally)


@lru_cache(maxsize=512)
def _is_pydantic(kind: type) -> bool:
    """Remembered, since the answers of clients are models, and asked about first."""
    return any(hasattr(kind, name) for name in _PYDANTIC)


def _copy_array(value: Any, kind: type, depth: int, tally: Tally) -> Any:
    """A scalar of an array library as a plain number, an array by its shape."""
    if getattr(value, "shape", None) != ():
        return f"<{kind.__name__} of shape {value.shape}, {value.dtype}>"
    item = value.item()
    # Some scalars (a long double) give themselves.
    return _describe(value, tally) if type(item) is kind else _copy(item, type(item), depth + 1, tally)


def _describe(value: Any, tally: Tally) -> str:
    text = str.__str__(repr(value))
    if len(text) > MAX_REPR:
        tally.elided += 1
        text = f"{text[:MAX_REPR]}[{len(text) - MAX_REPR} characters left out]"
    tally.size += len(text)
    return text
