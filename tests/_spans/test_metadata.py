from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from sentrial._spans.metadata import write_metadata, write_metrics
from written import Writing


@pytest.fixture
def attributes(recorder: Writing) -> dict[str, Any]:
    return {}


class Tier(str, enum.Enum):
    GOLD = "gold"


class Level(enum.IntEnum):
    HIGH = 3


def test_scalars_are_kept_as_they_are(attributes: dict[str, Any]) -> None:
    write_metadata({"text": "a", "int": 7, "float": 1.5, "bool": True, "none": None, "nan": math.inf}, attributes)
    assert attributes == {
        "sentrial.metadata.text": "a",
        "sentrial.metadata.int": 7,
        "sentrial.metadata.float": 1.5,
        "sentrial.metadata.bool": True,
        "sentrial.metadata.nan": math.inf,
    }


def test_everything_else_is_json_or_text(attributes: dict[str, Any]) -> None:
    write_metadata(
        {"list": [1, {"a": 2}], "big": 2**64, "tier": Tier.GOLD, "level": Level.HIGH, "set": {1}, 7: "int key",
         "decimal": Decimal("1.50")},
        attributes,
    )  # fmt: skip
    assert attributes == {
        "sentrial.metadata.list": '[1,{"a":2}]',
        "sentrial.metadata.big": str(2**64),
        "sentrial.metadata.tier": "gold",
        "sentrial.metadata.level": "3",
        "sentrial.metadata.set": "[1]",
        "sentrial.metadata.7": "int key",
        "sentrial.metadata.decimal": "1.50",
    }
    assert all(type(value) is str for value in attributes.values())


def test_32_keys_are_an_attribute_each_and_33_are_one(attributes: dict[str, Any]) -> None:
    write_metadata({f"k{n}": n for n in range(32)}, attributes)
    assert attributes == {f"sentrial.metadata.k{n}": n for n in range(32)}
    attributes.clear()
    write_metadata({f"k{n}": n for n in range(33)}, attributes)
    assert attributes == {"sentrial.metadata": "{" + ",".join(f'"k{n}":{n}' for n in range(33)) + "}"}


def test_secrets_are_masked_by_name_and_by_look(attributes: dict[str, Any]) -> None:
    write_metadata(
        {"db_password": 1234, "note": "password=hunter2", "nested": {"secret": "x"}, "sk-proj-0123456789abcdef": 1,
         "has_secret": True},
        attributes,
    )  # fmt: skip
    assert attributes == {
        "sentrial.metadata.db_password": "[masked]",
        "sentrial.metadata.note": "password=[masked]",
        "sentrial.metadata.nested": '{"secret":"[masked]"}',
        "sentrial.metadata.sk-[masked]": 1,
        "sentrial.metadata.has_secret": True,
    }
    attributes.clear()
    write_metadata({**{f"k{n}": n for n in range(40)}, "api_key": "abc"}, attributes)
    assert '"api_key":"[masked]"' in attributes["sentrial.metadata"]


@pytest.mark.parametrize(("value", "kept"), [("text", '"text"'), ([1], "[1]"), (7, "7")])
def test_what_is_no_mapping_is_kept_and_said_once(
    attributes: dict[str, Any], caplog: pytest.LogCaptureFixture, value: object, kept: str
) -> None:
    write_metadata(value, attributes)
    write_metadata(value, attributes)
    assert attributes == {"sentrial.metadata": kept}
    (record,) = caplog.records
    assert record.getMessage() == (
        f"sentrial: metadata is a {type(value).__name__}, and has to be a mapping. It is kept as it is; give a dict."
    )


def test_a_mapping_that_cannot_be_read_costs_itself_only(attributes: dict[str, Any]) -> None:
    class Broken(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            raise KeyError(key)

        def __iter__(self) -> Iterator[str]:
            return iter("ab")

        def __len__(self) -> int:
            return 2

    write_metadata(Broken(), attributes)
    write_metadata({"fine": 1}, attributes)
    assert attributes == {
        "sentrial.metadata": '"<Broken, unreadable: KeyError>"',
        "sentrial.metadata.fine": 1,
    }


def test_the_users_mapping_stays_as_it_is(attributes: dict[str, Any]) -> None:
    value = {"a": [1], "password": "x", "big": 2**64}
    write_metadata(value, attributes)
    assert value == {"a": [1], "password": "x", "big": 2**64}


def test_metrics_are_doubles(attributes: dict[str, Any]) -> None:
    write_metrics({"a": 4, "b": 4.5, "c": Decimal("1.5"), "d": Fraction(1, 2), "e": -1}, attributes)
    assert attributes == {
        "sentrial.metric.a": 4.0,
        "sentrial.metric.b": 4.5,
        "sentrial.metric.c": 1.5,
        "sentrial.metric.d": 0.5,
        "sentrial.metric.e": -1.0,
    }
    assert {type(value) for value in attributes.values()} == {float}


def test_a_metric_that_is_no_number_is_kept_as_metadata_and_said_once(
    attributes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    write_metrics({"good": 1, "bad": "high", "flag": True, "nan": math.nan, "none": None}, attributes)
    write_metrics({"other": "low"}, attributes)
    nan = attributes.pop("sentrial.metadata.metric.nan")
    assert nan != nan
    assert attributes == {
        "sentrial.metric.good": 1.0,
        "sentrial.metadata.metric.bad": "high",
        "sentrial.metadata.metric.flag": True,
        "sentrial.metadata.metric.other": "low",
    }
    (record,) = caplog.records
    assert record.getMessage() == (
        "sentrial: custom_metrics['bad']='high' is not usable: it must be a number. It is kept as "
        "sentrial.metadata.metric.bad."
    )


def test_more_than_32_metrics_are_one_attribute(attributes: dict[str, Any]) -> None:
    write_metrics({f"m{n}": n for n in range(33)}, attributes)
    assert attributes == {"sentrial.metric": "{" + ",".join(f'"m{n}":{n}.0' for n in range(33)) + "}"}


def test_metrics_that_are_no_mapping_are_kept(attributes: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    write_metrics([1, 2], attributes)
    assert attributes == {"sentrial.metadata.metric": "[1,2]"}
    assert "custom_metrics is a list, and has to be a mapping" in caplog.text
