"""Numbers as people read them."""

from __future__ import annotations

import pytest

from sentrial._cli import figures

MS = 1_000_000
S = 1_000 * MS


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (0, "0ms"),
        (400_000, "0.4ms"),
        (310 * MS, "310ms"),
        (1_204 * MS, "1.20s"),
        (59 * S, "59.00s"),
        (125 * S, "2m05s"),
        (3_720 * S, "1h02m"),
    ],
)
def test_a_duration(ns: int, shown: str) -> None:
    assert figures.duration(ns) == shown


@pytest.mark.parametrize(
    ("ns", "shown"),
    [(0, "0.00s"), (99 * S, "99.00s"), (-250 * MS, "-0.25s"), (601 * S, "10m01s"), (3_661 * S, "1h01m")],
)
def test_an_offset(ns: int, shown: str) -> None:
    assert figures.offset(ns) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0"), (2_000, "2,000"), (99_999, "99,999"), (123_456, "123k"), (1_234_567, "1.2M")]
)
def test_tokens(number: int, shown: str) -> None:
    assert figures.tokens(number) == shown


@pytest.mark.parametrize(
    ("cost", "shown"),
    [
        (0, "$0"),
        (0.00001, "<$0.0001"),
        (0.00005, "$0.0001"),
        (0.045, "$0.0450"),
        (0.99999, "$1.0000"),
        (12.3, "$12.30"),
        (1_234.5, "$1,234"),
    ],
)
def test_dollars(cost: float, shown: str) -> None:
    assert figures.dollars(cost) == shown


def test_counts_have_their_plural() -> None:
    assert [figures.count(number, "tool call") for number in (0, 1, 1_200)] == [
        "0 tool calls",
        "1 tool call",
        "1,200 tool calls",
    ]
