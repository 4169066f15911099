"""A value of the caller's as one attribute: scalars as they are, the rest as JSON; secrets masked."""

from __future__ import annotations

from typing import Any

from sentrial import _payload
from sentrial._json import SECRET, JsonWriter, Texts
from sentrial._snapshot import Tally, snapshot

_INT64 = range(-(1 << 63), 1 << 63)


def writer() -> JsonWriter:
    """A writer of JSON under the mask in force."""
    return JsonWriter(_payload.policy.masker, Texts())


def write_value(prefix: str, name: str, value: object, attributes: dict[str, Any]) -> None:
    """Add ``value`` as ``<prefix><name>``; ``None`` says nothing and is left out."""
    copy = snapshot(value, Tally())
    if copy is None:
        return
    words = writer()
    key = prefix + words.text(name)
    if isinstance(copy, bool):
        attributes[key] = copy
    elif _payload.policy.masker.is_secret(name):
        attributes[key] = SECRET
    elif isinstance(copy, float):
        attributes[key] = float.__float__(copy)
    elif type(copy) is int and copy in _INT64:
        attributes[key] = words.number(copy)
    else:
        attributes[key] = words.text(copy)
