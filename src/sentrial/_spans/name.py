"""Names and ids as callers give them: text, whatever they gave, and a clear word about what is none."""

from __future__ import annotations

import enum
import pathlib
import uuid
from typing import Any

from sentrial import _guard
from sentrial._json import encodable
from sentrial._spans import failure

UNKNOWN = "unknown"
"""The name of what has none."""

MAX_NAME = 1_000
"""Characters of a name that are kept: what is longer groups nothing, and is no content that a queue could weigh."""


def read_name(what: str, value: object) -> str:
    """``value`` as a name that has to be there. ``what``: the parameter that it was given for."""
    text = "" if value is None else _read(what, value)
    if text.strip():
        return text
    _guard.refuse(
        f"name {what}",
        "sentrial: %s=%s is not usable: it must be a text that is not empty. It is kept as %r; give the call a name.",
        what,
        _guard.shown(value),
        UNKNOWN,
    )
    return UNKNOWN


def read_id(what: str, value: object) -> str | None:
    """``value`` as a name or id that may be absent: ``None``."""
    return None if value is None else _read(what, value)


def quietly(value: object) -> str:
    """``value`` as a name, for where somebody else says what is wrong with it."""
    return _cut(_plain(value)[0])


def _read(what: str, value: object) -> str:
    text, is_text = _plain(value)
    if not is_text:
        _guard.refuse(
            f"text {what}",
            "sentrial: %s=%s is not usable: it must be a text. It is kept as its words; give the call a str.",
            what,
            _guard.shown(value),
        )
    elif len(text) > MAX_NAME:
        _guard.refuse(
            f"long {what}",
            "sentrial: %s=%s is not usable: it has %d characters. The first %d are kept; give the call a name or an "
            "id, and texts as input, output or metadata.",
            what,
            _guard.shown(value),
            len(text),
            MAX_NAME,
        )
    return _cut(text)


def _plain(value: Any) -> tuple[str, bool]:
    """The text that ``value`` is, and whether it is one, or an id that is as good as one."""
    kind = type(value)
    try:
        if issubclass(kind, enum.Enum) and not issubclass(kind, str):
            value, kind = value.value, type(value.value)
        if issubclass(kind, str):
            return str.__str__(value), True
        if issubclass(kind, int) and kind is not bool:
            return int.__repr__(value), True
        if issubclass(kind, uuid.UUID | pathlib.PurePath):
            return str(value), True
    except Exception:  # noqa: BLE001 - a subclass's own methods may raise anything, and Python spells no huge integer
        return failure.read_words(value), False
    return failure.read_words(value), False


def _cut(text: str) -> str:
    return encodable(text[:MAX_NAME])
