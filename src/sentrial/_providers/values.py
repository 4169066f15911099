"""Values as programs give them to clients, and as APIs answer: read if they are what they should be, else left out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NOTHING: dict[str, Any] = {}

UNFINISHED = "error"
"""The conventions' finish reason of a choice whose end never came."""

_LISTS, _TEXTS = (list, tuple), (str, bytes)
_LARGEST = 2**63 - 1
_DEEPEST = 100


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of an object of a client's, or of the dict it was made from."""
    return value if type(value) is dict else getattr(value, "__dict__", NOTHING)


def all_fields(value: Any) -> dict[str, Any]:
    """The fields of an object of a client's, and those that the API has and the client's version does not know."""
    fields = fields_of(value)
    extra = getattr(value, "__pydantic_extra__", None)
    return {**fields, **extra} if extra else fields


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` if it is a mapping, else an empty one."""
    # Asking an abstract class takes ten times as long, and there are many for each call.
    if type(value) is dict:
        return value
    return value if value is not None and isinstance(value, Mapping) else NOTHING


def integer(value: Any) -> int | None:
    """A whole number, and no truth value. What exporters have no room for counts as not said."""
    return value if type(value) is int and -_LARGEST <= value <= _LARGEST else None


def count(value: Any) -> int | None:
    """How many there are: a whole number that is not below zero."""
    return value if type(value) is int and 0 <= value <= _LARGEST else None


def total(counts: Iterable[int | None]) -> int | None:
    """The sum of those that were said; ``None`` where none was."""
    known = [each for each in counts if each is not None]
    return count(sum(known)) if known else None


def number(value: Any) -> float | None:
    """Any number, as a float."""
    if type(value) is float:
        return value
    whole = integer(value)
    return None if whole is None else float(whole)


def string(value: Any) -> str | None:
    """A text with something in it; a plain one, for a member of an enumeration of texts gives its name when printed."""
    if type(value) is not str:
        value = str.__str__(value) if isinstance(value, str) else None
    return value or None


def strings(value: Any) -> list[str] | None:
    """Texts; one alone counts as a list of one."""
    if isinstance(value, str):
        return [str.__str__(value)]
    return [str.__str__(item) for item in value if isinstance(item, str)] if isinstance(value, _LISTS) else None


def listed(value: Any) -> Any:
    """``value`` if it can be looked at without using it up: an iterator is the program's, and is left alone."""
    if isinstance(value, _LISTS):
        return value
    return list(value) if isinstance(value, Sequence) and not isinstance(value, _TEXTS) else None


def items_of(value: Any) -> list[Any]:
    """The items of a list in a snapshot; none of anything else."""
    return value if isinstance(value, list) else []


def index_of(value: Any) -> int:
    """Which of several a piece of a stream belongs to. Some services write the number as a text, or leave it out."""
    if type(value) is int:
        return value
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        return int(value)
    return 0


def joined(pieces: Sequence[Any]) -> str:
    """A text that came in pieces. What among them is no text comes in as JSON, and costs nothing but itself."""
    try:
        return "".join(pieces)
    except TypeError:
        return "".join(piece if isinstance(piece, str) else json.dumps(piece, default=str) for piece in pieces)


def decoded(value: Any) -> Any:
    """What the JSON in ``value`` says.

    Not every model writes JSON, and a stream may have broken off in it: then it stays as it came. So does what is
    nested too deep to be written again.
    """
    if isinstance(value, str):
        with contextlib.suppress(ValueError, RecursionError):
            found = json.loads(value)
            return value if _is_deeper(found, _DEEPEST) else found
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper(item, levels - 1) for item in inner)
