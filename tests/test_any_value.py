from __future__ import annotations

import collections
import dataclasses
import decimal
import enum
import json
import math
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from drawn import drawn
from sentrial._export.redact import SecretMasker
from sentrial._json import JsonWriter, NoMask, Texts
from sentrial._snapshot import Tally, snapshot


class Colour(enum.Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Order:
    number: int
    lines: Any


class Rude:
    def __repr__(self) -> str:
        raise ValueError("no")

    def __hash__(self) -> int:
        return 7


class Scalar:
    dtype = "int64"
    shape = ()

    def item(self) -> int:
        return 3


def written(value: object, masker: Any) -> str:
    return JsonWriter(masker, Texts()).json(snapshot(value, Tally()))


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(4_000, 20_000).map(lambda bits: -(2**bits))
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=60)
    | st.binary(max_size=60)
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.complex_numbers()
    | st.integers(0, 7).map(
        lambda n: [Colour.RED, Rude(), object(), Scalar(), print, Point(1, 2), math.nan, -math.inf][n]
    )
)
KEYS = LEAVES.filter(lambda key: not (isinstance(key, decimal.Decimal) and key.is_snan()))
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=8) | KEYS, inner, max_size=5)
        | st.tuples(inner, inner)
        | st.builds(collections.deque, st.lists(inner, max_size=3))
        | st.builds(lambda value: Order(1, value), inner)
    ),
    max_leaves=40,
)


@drawn(150)
@given(VALUES)
def test_any_value_becomes_json_that_can_be_read(value: object) -> None:
    for masker in (NoMask(), SecretMasker()):
        text = written(value, masker)
        json.loads(text)
        text.encode("utf-8")


SOUND = st.text(st.characters(exclude_categories=("Cs",)))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | SOUND,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(SOUND, inner, max_size=5),
    max_leaves=40,
)


@drawn(150)
@given(PLAIN)
def test_plain_data_comes_back_equal(value: object) -> None:
    assert json.loads(written(value, NoMask())) == value
