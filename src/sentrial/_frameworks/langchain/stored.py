"""What an object of the program's holds: its fields alone, for a property may raise, or ask a database."""

from __future__ import annotations

from types import MemberDescriptorType
from typing import Any, NamedTuple


class _Pair(NamedTuple):
    first: object


_PLACES = (MemberDescriptorType, type(vars(_Pair)["first"]))
"""How a class with ``__slots__`` and a ``NamedTuple`` find a field."""


def field(value: object, name: str) -> Any:
    """What ``value`` holds under ``name``; ``None`` where that is no field, or empty. Nothing of the program's runs."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        held = None
    if type(held) is dict and name in held:
        return held[name]
    place: Any = next((vars(kind)[name] for kind in type(value).__mro__ if name in vars(kind)), None)
    try:
        return place.__get__(value) if type(place) in _PLACES else None
    except AttributeError:
        return None
