"""Values as programs give them to clients, and as APIs answer: read if they are what they should be, else left out."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from sentrial.types import Part

NOTHING: dict[str, Any] = {}

_LISTS, _TEXTS = (list, tuple), (str, bytes)


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of an object of a client's, or of the dict it was made from."""
    return value if type(value) is dict else getattr(value, "__dict__", NOTHING)


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else NOTHING


def integer(value: Any) -> int | None:
    """A whole number, and no truth value."""
    return value if type(value) is int else None


def number(value: Any) -> float | None:
    """Any number, as a float."""
    kind = type(value)
    return value if kind is float else float(value) if kind is int else None


def string(value: Any) -> str | None:
    """A text with something in it."""
    return value if isinstance(value, str) and value else None


def strings(value: Any) -> list[str] | None:
    """Texts; one alone counts as a list of one."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, _LISTS) else None


def listed(value: Any) -> Any:
    """``value`` if it can be looked at without using it up: an iterator is the program's, and is left alone."""
    if isinstance(value, _LISTS):
        return value
    return list(value) if isinstance(value, Sequence) and not isinstance(value, _TEXTS) else None


def blob(modality: str, mime_type: str, data: Any) -> Part:
    """Binary content. As bytes: whoever writes it decides whether it stays, or is replaced by size and hash."""
    with contextlib.suppress(TypeError, ValueError):
        data = base64.b64decode(data, validate=True)
    return Part("blob", {"modality": modality, "mime_type": mime_type, "content": data})


def uri(address: Any, modality: str) -> Part:
    """Content by its address, or in it: a ``data:`` URL."""
    head, _, data = address.partition(",") if isinstance(address, str) else ("", "", "")
    if head.startswith("data:") and head.endswith(";base64"):
        return blob(modality, head[len("data:") :].partition(";")[0], data)
    return Part("uri", {"modality": modality, "uri": address})
