from __future__ import annotations

import array
import collections
import dataclasses
import enum
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pydantic

from sentrial._snapshot import MAX_NODES, Tally, snapshot


def taken(value: object) -> Any:
    return snapshot(value, Tally())


class Point(NamedTuple):
    x: int
    y: int


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Order:
    number: int
    lines: list[str]
    unset: str = dataclasses.field(init=False)


class Customer(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    name: str
    tags: list[str] = []
    token: pydantic.SecretStr = pydantic.SecretStr("hidden")

    @pydantic.field_serializer("name")
    def shout(self, name: str) -> str:
        raise AssertionError("the user's serialiser is not ours to call")


class Scalar:
    """As the scalars of array libraries are."""

    dtype = "int64"
    shape = ()

    def __init__(self, value: object) -> None:
        self._value = value

    def item(self) -> object:
        return self._value


class Matrix(Scalar):
    shape = (1000, 1000)


def test_dataclasses_and_models_are_their_fields() -> None:
    assert taken(Order(7, ["a"])) == {"number": 7, "lines": ["a"], "unset": None}
    assert taken(Order) == repr(Order)
    assert taken(Customer(name="Ada", extra=[1])) == {
        "name": "Ada", "tags": [], "token": "SecretStr('**********')", "extra": [1],
    }  # fmt: skip
    assert taken(Point(1, 2)) == [1, 2]


def test_scalars_of_array_libraries_are_numbers_and_arrays_are_named() -> None:
    assert taken([Scalar(7), Scalar(1.5)]) == [7, 1.5]
    assert taken(Matrix(None)) == "<Matrix of shape (1000, 1000), int64>"
    own = Scalar(None)
    own._value = own
    assert taken(own) == repr(own)


def test_subclasses_of_containers_are_what_they_hold() -> None:
    class Endless(list):
        def __iter__(self) -> Iterator[int]:
            while True:
                yield 1

    class Computed(dict):
        def __getitem__(self, key: object) -> object:
            raise RuntimeError("no")

    assert taken(Endless([1, 2])) == [1, 2]
    assert taken(Computed(a=1)) == {"a": 1}
    assert taken(collections.defaultdict(list, a=[1])) == {"a": [1]}
    assert taken(collections.Counter("aab")) == {"a": 2, "b": 1}
    assert taken(array.array("i", [1, 2])) == [1, 2]
    assert taken({"a": 1}.values()) == [1]


def test_an_endless_mapping_is_bounded() -> None:
    class Numbers(Mapping[int, int]):
        def __getitem__(self, key: int) -> int:
            return key

        def __iter__(self) -> Iterator[int]:
            n = 0
            while True:
                yield n
                n += 1

        def __len__(self) -> int:
            return sys.maxsize

    copy = taken(Numbers())
    assert copy[0] == 0
    assert copy["..."].endswith("entries left out]")
    assert len(copy) <= MAX_NODES + 1


def test_nothing_is_consumed() -> None:
    async def later() -> None: ...

    numbers = iter([1, 2, 3])
    generator = (n for n in [1, 2, 3])
    coroutine = later()
    copy = taken([numbers, generator, coroutine, map(str, numbers), open])
    assert [type(item) for item in copy] == [str] * 5
    assert copy[1].startswith("<generator object ")
    assert copy[2].startswith("<coroutine object ")
    assert list(numbers) == [1, 2, 3]
    assert list(generator) == [1, 2, 3]
    coroutine.close()


def test_locks_functions_and_modules_are_described() -> None:
    copy = taken([threading.Lock(), print, json, Colour.RED, object])
    assert copy[0].startswith("<unlocked _thread.lock object")
    assert copy[1] == "<built-in function print>"
    assert copy[2].startswith("<module 'json' from")
    assert copy[3] is Colour.RED
    assert copy[4] == "<class 'object'>"


class Rude:
    def __repr__(self) -> str:
        raise ValueError("no")

    def __hash__(self) -> int:
        return 7


def test_a_repr_that_raises_is_said() -> None:
    assert taken(Rude()) == "<Rude, unreadable: ValueError>"
    assert taken({"a": [Rude()], Rude(): 1}) == {
        "a": ["<Rude, unreadable: ValueError>"], "<Rude, unreadable: ValueError>": 1,
    }  # fmt: skip


def test_objects_that_lie_about_themselves_or_raise_do_no_harm() -> None:
    class Proxy:
        @property
        def __class__(self) -> type:
            raise RuntimeError("working outside of request context")

        def __repr__(self) -> str:
            return "<Proxy unbound>"

    class Liar(Proxy):
        __class__ = dict

    class Slippery(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            raise KeyError(key)

        def __iter__(self) -> Iterator[str]:
            return iter(["a"])

        def __len__(self) -> int:
            return 1

    class Changing:
        calls = 0

        def __hash__(self) -> int:
            Changing.calls += 1
            if Changing.calls > 1:
                raise RuntimeError("changed its mind")
            return 1

        def __repr__(self) -> str:
            return "changing"

    assert taken([Proxy(), Liar()]) == ["<Proxy unbound>", "<Proxy unbound>"]
    assert taken(Slippery()) == "<Slippery, unreadable: KeyError>"
    assert taken({Changing(): [1]}) == {"changing": [1]}


def test_keys_are_leaves_too() -> None:
    tuple_key = ("a", 1)
    copy = taken({tuple_key: 1, 2: 2, None: 3, Colour.RED: 4, b"b": 5, frozenset(): 6})
    assert copy == {"('a', 1)": 1, 2: 2, None: 3, Colour.RED: 4, b"b": 5, "frozenset()": 6}


def test_a_dict_that_another_thread_changes_is_copied_all_the_same() -> None:
    shared: dict[Any, Any] = {f"key {n}": [n] for n in range(2_000)}
    ordered = collections.OrderedDict(shared)
    stop = threading.Event()
    rounds = []

    def change() -> None:
        n = 0
        while not stop.is_set():
            for each in (shared, ordered):
                each[f"new {n % 500}"] = [n]
                each.pop(f"new {(n + 250) % 500}", None)
            n += 1
        rounds.append(n)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        copies = [copy for _ in range(60) for copy in (taken(shared), taken(ordered))]
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(before)
    assert rounds[0] > 0
    assert all(isinstance(copy, dict) and copy["key 1999"] == [1999] for copy in copies)
