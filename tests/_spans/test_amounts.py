from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from sentrial._session import Session
from sentrial._spans import afterwards, amounts
from written import Writing


class Scalar:
    """As the scalars of array libraries are."""

    dtype = "float32"
    shape = ()

    def __float__(self) -> float:
        return 2.5

    def item(self) -> float:
        return 2.5


class Rude:
    def __float__(self) -> float:
        raise RuntimeError("no")

    __repr__ = __float__


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0.0), (7, 7.0), (1.5, 1.5), (Decimal("0.1"), 0.1), (Fraction(1, 4), 0.25), (Scalar(), 2.5), (-1, -1.0),
        (True, None), ("7", None), (b"7", None), (None, None), (math.nan, None), (math.inf, None), (10**400, None),
        ([1], None), (Rude(), None), (1j, None),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_number_is_what_can_be_counted_with(value: object, number: float | None) -> None:
    assert amounts.number(value) == number


def test_a_count_is_an_integer(recorder: Writing) -> None:
    attributes: dict[str, Any] = {}
    assert [amounts.read_count("n", value, attributes) for value in (0, 7, 2**53 + 1, 7.0, Decimal(3), Scalar())] == [
        0, 7, 2**53 + 1, 7, 3, 2,
    ]  # fmt: skip
    assert attributes == {}


@pytest.mark.parametrize(
    ("value", "kept"), [(-1, -1), ("many", "many"), (2**70, str(2**70)), (Rude(), "<Rude, unreadable: RuntimeError>")]
)
def test_what_is_no_count_is_kept_as_it_came(
    recorder: Writing, caplog: pytest.LogCaptureFixture, value: object, kept: object
) -> None:
    attributes: dict[str, Any] = {}
    assert amounts.read_count("prompt_tokens", value, attributes) is None
    assert attributes == {"sentrial.metadata.prompt_tokens": kept}
    (record,) = caplog.records
    assert "prompt_tokens=" in record.getMessage()
    assert "is not usable: it must be a number" in record.getMessage()


def test_a_bad_cost_is_kept_and_not_counted(
    recorder: Writing, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    for cost in (-0.5, "0.5", float("nan")):
        afterwards.tell_tool_call(session, "t", {}, {}, estimated_cost=cost)
        assert "sentrial.estimated_cost" not in recorder.last.attributes
    assert recorder.spans[0].attributes["sentrial.metadata.estimated_cost"] == -0.5
    assert recorder.spans[1].attributes["sentrial.metadata.estimated_cost"] == "0.5"
    assert session.totals.costs == []
    assert len(caplog.records) == 1


def test_a_cost_of_nothing_is_a_cost(recorder: Writing, session: Session) -> None:
    afterwards.tell_tool_call(session, "t", {}, {}, estimated_cost=0)
    assert recorder.last.attributes["sentrial.estimated_cost"] == 0.0
    afterwards.tell_tool_call(session, "t", {}, {})
    assert "sentrial.estimated_cost" not in recorder.last.attributes
    assert session.totals.costs == [0.0]
