"""Values as programs and services give them, the odd ones above all."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from sentrial._providers.values import count, decoded, index_of, integer, joined, number, string, strings, total

LARGEST = 2**63 - 1


class Model(str, Enum):
    SMALL = "gpt-4.1-mini"


@pytest.mark.parametrize("value", [7, 0, -7, LARGEST, -LARGEST])
def test_a_whole_number_is_one(value: int) -> None:
    assert integer(value) == value


@pytest.mark.parametrize("value", [True, 1.0, "1", None, 2**63, 10**400, -(2**64)])
def test_what_no_exporter_has_room_for_is_no_whole_number(value: Any) -> None:
    assert integer(value) is None


def test_a_number_is_a_float_that_there_is() -> None:
    assert [number(value) for value in (0.5, 2, True, "2", 10**400)] == [0.5, 2.0, None, None, None]


def test_there_are_never_fewer_than_none() -> None:
    assert [count(value) for value in (0, 5, LARGEST, -1, 2**63, True, None)] == [0, 5, LARGEST, None, None, None, None]


def test_a_total_is_of_what_was_said() -> None:
    assert [total(counts) for counts in ([], [None], [None, 2, 0], [LARGEST, 1])] == [None, None, 2, None]


def test_a_member_of_an_enumeration_is_the_text_that_it_is() -> None:
    assert type(string(Model.SMALL)) is str
    assert f"chat {string(Model.SMALL)}" == "chat gpt-4.1-mini"
    assert [type(each) for given in (Model.SMALL, [Model.SMALL]) for each in strings(given) or ()] == [str, str]


@pytest.mark.parametrize("value", ["", None, 5, b"text", ["text"]])
def test_what_is_no_text_is_none(value: Any) -> None:
    assert string(value) is None


@pytest.mark.parametrize(
    ("value", "index"),
    [(3, 3), ("3", 3), (None, 0), ("first", 0), ([1], 0), ({}, 0), (float("inf"), 0), ("9" * 5_000, 0)],
)
def test_every_piece_belongs_somewhere(value: Any, index: int) -> None:
    assert index_of(value) == index


def test_pieces_that_are_no_texts_are_put_in_as_json() -> None:
    assert joined(["a", "b"]) == "ab"
    assert joined(["a", {"b": [1]}, 5, None, Ellipsis, "c"]) == 'a{"b": [1]}5null"Ellipsis"c'


@pytest.mark.parametrize(
    ("value", "found"),
    [('{"a": [1]}', {"a": [1]}), ("[" * 5 + "]" * 5, [[[[[]]]]]), ("7", 7), ({"a": 1}, {"a": 1}), (None, None)],
)
def test_what_is_json_is_what_it_says(value: Any, found: Any) -> None:
    assert decoded(value) == found


@pytest.mark.parametrize(
    "value", ["Lisbon", '{"a": [1', "", "[" * 200_000, "[" * 500 + "]" * 500, '{"a":' * 500 + "1" + "}" * 500]
)
def test_what_is_no_json_or_too_deep_to_be_written_stays_as_it_came(value: str) -> None:
    assert decoded(value) is value
