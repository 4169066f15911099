from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import json
import pathlib
import types
import uuid
from typing import Any

import pydantic
import pytest

from sentrial._json import JsonWriter, NoMask, Texts
from sentrial._snapshot import MAX_DEPTH, MAX_NODES, MAX_REPR, Tally, snapshot


def taken(value: object) -> Any:
    return snapshot(value, Tally())


def weighed(value: object) -> tuple[Any, Tally]:
    tally = Tally()
    return snapshot(value, tally), tally


def as_json(value: object) -> Any:
    return json.loads(JsonWriter(NoMask(), Texts()).json(taken(value)))


# --- copies, and references -------------------------------------------------------------------------------------------


def test_containers_are_copied_at_every_depth() -> None:
    inner = {"roles": ["user"], "pair": (1, [2])}
    value = [inner, {"nested": inner}]
    copy = taken(value)
    inner["roles"].append("late")
    inner["pair"][1].append("late")
    inner["late"] = True
    value.append("late")
    value[1]["nested"] = "late"
    assert copy == [{"roles": ["user"], "pair": [1, [2]]}, {"nested": {"roles": ["user"], "pair": [1, [2]]}}]


def test_texts_are_kept_by_reference_however_long() -> None:
    text = "x" * 20_000_000
    copy = taken({"content": text, "list": [text]})
    assert copy["content"] is text
    assert copy["list"][0] is text


@pytest.mark.parametrize(
    "leaf",
    [
        None, True, 7, 1.5, "text", b"bytes", 3 + 4j, range(3), decimal.Decimal("1.5"), uuid.UUID(int=7),
        datetime.date(2026, 11, 21), datetime.datetime(2026, 11, 21, 4, 5), datetime.time(4, 5),
        datetime.timedelta(seconds=5), pathlib.PurePosixPath("/a/b"),
    ],
    ids=repr,
)  # fmt: skip
def test_an_immutable_leaf_is_kept_as_it_is(leaf: object) -> None:
    assert taken(leaf) is leaf
    assert taken([leaf])[0] is leaf
    assert taken({"k": leaf})["k"] is leaf


def test_what_is_kept_of_a_mutable_buffer_is_its_bytes_now() -> None:
    buffer = bytearray(b"before")
    copies = [taken(buffer), taken(memoryview(buffer)), taken(memoryview(buffer)[::2])]
    buffer[:] = b"after!"
    assert copies == [b"before", b"before", b"bfr"]


def test_a_subclass_of_str_becomes_the_text_it_holds() -> None:
    class Loud(str):
        def __str__(self) -> str:
            raise RuntimeError("no")

        __repr__ = __len__ = __hash__ = __eq__ = __str__

    assert type(taken(Loud("quiet"))) is str
    assert taken(Loud("quiet")) == "quiet"
    assert taken([Loud("quiet")]) == ["quiet"]


def test_mutation_afterwards_shows_nowhere() -> None:
    @dataclasses.dataclass
    class Order:
        items: list[str]

    class Model(pydantic.BaseModel):
        items: list[str]

    class Plain:
        def __init__(self) -> None:
            self.state = "before"

        def __repr__(self) -> str:
            return f"Plain({self.state})"

    plain = Plain()
    values: list[Any] = [
        Order(["before"]), Model(items=["before"]), {"before"}, collections.deque(["before"]), plain,
        collections.OrderedDict(k="before"), collections.UserDict(k=["before"]),
        types.MappingProxyType({"k": "before"}),
    ]  # fmt: skip
    copy = taken(values)
    values[0].items[0] = values[1].items[0] = values[3][0] = values[5]["k"] = "after"
    values[2].clear()
    values[6]["k"].append("after")
    plain.state = "after"
    assert "after" not in json.dumps(copy)
    assert json.dumps(copy).count("before") == 8


# --- bounded work -----------------------------------------------------------------------------------------------------


class Counting:
    """Counts how often anybody looks at one of its kind."""

    looked_at = 0

    def __repr__(self) -> str:
        Counting.looked_at += 1
        return "counted"


def test_of_a_million_items_the_first_are_looked_at_and_the_rest_is_said() -> None:
    Counting.looked_at = 0
    copy, tally = weighed([Counting()] * 1_000_000)
    assert len(copy) == MAX_NODES + 1
    assert copy[-1] == f"[{1_000_000 - MAX_NODES} items left out]"
    assert Counting.looked_at == MAX_NODES
    assert tally.elided == 1
    assert tally.nodes == MAX_NODES


@pytest.mark.parametrize("kind", [tuple, collections.deque, set, frozenset, lambda n: dict.fromkeys(n).keys()])
def test_other_collections_are_bounded_alike(kind: Any) -> None:
    copy, tally = weighed(kind(range(30_000)))
    assert len(copy) == MAX_NODES + 1
    assert copy[-1] == "[10000 items left out]"
    assert tally.elided == 1


def test_ten_thousand_keys_are_all_kept() -> None:
    value = {f"key {n}": n for n in range(10_000)}
    copy, tally = weighed(value)
    assert copy == value
    assert tally.elided == 0


@pytest.mark.parametrize("kind", [dict, collections.OrderedDict, collections.UserDict, types.MappingProxyType])
def test_of_too_many_keys_the_first_are_kept_and_the_rest_is_said(kind: Any) -> None:
    copy, tally = weighed(kind({f"key {n}": n for n in range(30_000)}))
    assert copy.pop("...") == "[10000 entries left out]"
    assert list(copy) == [f"key {n}" for n in range(20_000)]
    assert tally.elided == 1


def test_the_bound_counts_over_all_branches_together() -> None:
    shared = {f"key {n}": n for n in range(15_000)}
    copy, tally = weighed([shared] * 100)
    assert len(copy[0]) == 15_000
    assert len(copy[1]) == MAX_NODES - 100 - 15_000 + 1
    assert copy[2] == "[15000 entries left out]"
    assert tally.elided == 99


def test_a_value_that_contains_itself_ends() -> None:
    loop: list[Any] = ["start"]
    loop.append(loop)
    ring: dict[str, Any] = {}
    ring["ring"] = {"of": [ring, ring]}
    assert as_json(loop)[1][1][0] == "start"
    depth, here = 0, taken(loop)
    while isinstance(here, list):
        depth, here = depth + 1, here[1]
    assert (depth, here) == (MAX_DEPTH, "[2 items left out]")
    _, tally = weighed(ring)
    assert tally.nodes <= MAX_NODES
    assert json.dumps(as_json(ring)).count("ring") > 10


def test_a_value_that_branches_at_every_level_ends() -> None:
    value: Any = "leaf"
    for _ in range(64):
        value = [value, value]
    _, tally = weighed(value)
    assert tally.nodes <= MAX_NODES + 1
    assert tally.elided > 0


def test_a_long_repr_is_cut_and_says_how_much() -> None:
    class Wordy:
        def __repr__(self) -> str:
            return "w" * 5_000

    copy, tally = weighed(Wordy())
    assert copy == "w" * MAX_REPR + "[3000 characters left out]"
    assert tally.elided == 1


def test_the_weight_is_that_of_texts_keys_and_bytes() -> None:
    _, tally = weighed({"k" * 1_000: "v" * 2_000, "b": b"x" * 4_000, "list": ["y" * 8_000, bytearray(500)]})
    assert 15_500 < tally.size < 15_700
