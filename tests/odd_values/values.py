"""The values by name. Each is made anew: some can be used up, and some are locked, opened or changed by a test."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import io
import math
import pathlib
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy
import pydantic


class Raising:
    """Raises whatever is done with it."""

    def _raise(self, *args: Any, **kwargs: Any) -> Any:
        raise LookupError("mine")

    __str__ = __repr__ = __eq__ = __bool__ = __float__ = __int__ = __index__ = __len__ = __iter__ = _raise
    __hash__ = __format__ = __getitem__ = __contains__ = __getattr__ = __lt__ = __add__ = _raise  # type: ignore[assignment]  # as it says


class RaisingText(str):
    """A text whose methods raise; what it holds is sound."""

    def _raise(self, *args: Any, **kwargs: Any) -> Any:
        raise LookupError("mine")

    __str__ = __repr__ = __eq__ = __hash__ = __bool__ = __len__ = __format__ = strip = encode = startswith = _raise  # type: ignore[assignment]  # as it says


class RaisingNumber(int):
    """A number whose methods raise."""

    def _raise(self, *args: Any, **kwargs: Any) -> Any:
        raise LookupError("mine")

    __str__ = __repr__ = __eq__ = __bool__ = __float__ = __int__ = __index__ = __lt__ = __le__ = __gt__ = _raise  # type: ignore[assignment]  # as it says
    __hash__ = int.__hash__


class RaisingMapping(Mapping[str, Any]):
    """A mapping that cannot be read."""

    def __getitem__(self, key: str) -> Any:
        raise LookupError("mine")

    def __iter__(self) -> Iterator[str]:
        raise LookupError("mine")

    def __len__(self) -> int:
        return 3


class Liar:
    """Raises when it is asked what it is."""

    @property
    def __class__(self) -> Any:
        raise LookupError("mine")


class BadWordsError(Exception):
    """An exception that cannot say what is wrong."""

    def __str__(self) -> str:
        raise LookupError("mine")

    __repr__ = __str__


class Colour(enum.Enum):
    RED = "red"


class Receipt(pydantic.BaseModel):
    """A model of a user's."""

    number: int = 7
    when: datetime.date = datetime.date(2026, 1, 2)


@dataclasses.dataclass
class Order:
    """A dataclass of a user's; equal ones have no hash."""

    number: int = 7
    lines: Any = None


def _endless() -> Iterator[int]:
    while True:
        yield 1


def _loop_of_lists() -> list[Any]:
    loop: list[Any] = [1]
    loop.append(loop)
    return loop


def _loop_of_dicts() -> dict[str, Any]:
    loop: dict[str, Any] = {"n": 1}
    loop["self"] = loop
    return loop


ODD: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "no text": lambda: "",
    "blank text": lambda: " \n",
    "text": lambda: "abc",
    "lone surrogate": lambda: "a\ud800b",
    "null character": lambda: "a\x00b",
    "long text": lambda: "ä" * 100_000,
    "text that raises": lambda: RaisingText("abc"),
    "text of numpy": lambda: numpy.str_("abc"),
    "zero": lambda: 0,
    "seven": lambda: 7,
    "minus one": lambda: -1,
    "large integer": lambda: 10**400,
    "huge integer": lambda: 1 << 40_000,
    "number that raises": lambda: RaisingNumber(5),
    "fraction of one": lambda: 0.5,
    "nan": lambda: math.nan,
    "infinity": lambda: -math.inf,
    "true": lambda: True,
    "false": lambda: False,
    "decimal": lambda: decimal.Decimal("0.5"),
    "decimal nan": lambda: decimal.Decimal("sNaN"),
    "fraction": lambda: fractions.Fraction(1, 3),
    "complex": lambda: 1j,
    "float of numpy": lambda: numpy.float64(0.5),
    "integer of numpy": lambda: numpy.int32(3),
    "nan of numpy": lambda: numpy.float32("nan"),
    "bool of numpy": lambda: numpy.bool_(True),
    "array": lambda: numpy.array([1, 2]),
    "array of one": lambda: numpy.array([5]),
    "bytes": lambda: b"ab\xff",
    "datetime": lambda: datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc),
    "uuid": lambda: uuid.UUID(int=7),
    "path": lambda: pathlib.PurePosixPath("/a/b"),
    "enum": lambda: Colour.RED,
    "model": Receipt,
    "class of a model": lambda: Receipt,
    "dataclass": Order,
    "list": lambda: [1, "a"],
    "tuple": lambda: ("a",),
    "dict": lambda: {"a": 1},
    "set": lambda: {1},
    "keys that are no texts": lambda: {1: "a", None: "b", (1, 2): "c", b"x": "d", 1.5: "e"},
    "many keys": lambda: {f"key{n}": n for n in range(2_000)},
    "list that holds itself": _loop_of_lists,
    "dict that holds itself": _loop_of_dicts,
    "generator": _endless,
    "lock": threading.Lock,
    "file": lambda: io.StringIO("line\n"),
    "function": lambda: print,
    "object": object,
    "exception": lambda: ValueError("boo"),
    "class of an exception": lambda: ValueError,
    "exception without words": lambda: BadWordsError("x"),
    "mapping that raises": RaisingMapping,
    "object that raises": Raising,
    "object that lies": Liar,
}
"""By name, what makes the value."""


def make(name: str) -> Any:
    """The value of that name, a new one."""
    return ODD[name]()
