"""Points of time as people type them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone

import click
import pytest

from sentrial._cli.time_words import Lasting, Moment, Size, iso

HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An hour ahead of UTC in winter, two in summer."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=timezone.utc).timestamp()) * 10**9  # type: ignore[misc, arg-type]  # parts of a date


def read(text: str, *, end: bool = False) -> int:
    return Moment(end=end).convert(text, None, None)


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20", utc(2026, 11, 19, 23)),
        ("2026-07-01", utc(2026, 6, 30, 22)),
        ("2026-11-20 14:03", utc(2026, 11, 20, 13, 3)),
        ("2026-11-20T14:03:05", utc(2026, 11, 20, 13, 3, 5)),
        ("2026-11-20 14:03:05.25", utc(2026, 11, 20, 13, 3, 5) + 250_000_000),
        ("2026-11-20T14:03:05Z", utc(2026, 11, 20, 14, 3, 5)),
        ("2026-11-20T14:03:05-05:00", utc(2026, 11, 20, 19, 3, 5)),
        ("1969-12-31T23:59:59Z", -(10**9)),
    ],
)
def test_a_point_of_time_is_local_unless_it_says_otherwise(text: str, expected: int) -> None:
    assert read(text) == expected


@pytest.mark.usefixtures("berlin")
def test_a_day_is_meant_as_a_whole() -> None:
    assert read("2026-11-20", end=True) == utc(2026, 11, 20, 23) - 1_000
    assert read("2026-11-20 14:03", end=True) == utc(2026, 11, 20, 13, 3)


@pytest.mark.parametrize(
    ("text", "ago"), [("30min", HOUR_NS // 2), ("2h", 2 * HOUR_NS), ("7d", 7 * DAY_NS), ("now", 0)]
)
def test_a_length_of_time_is_so_long_ago(text: str, ago: int) -> None:
    before = time.time_ns()
    found = read(text)
    assert before <= found + ago <= time.time_ns()


def test_a_time_of_day_is_of_today() -> None:
    moment = datetime.fromtimestamp(read("14:03") / 1e9)
    assert (moment.hour, moment.minute, moment.second) == (14, 3, 0)
    assert abs((moment.date() - datetime.now().date()).days) <= 1


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "25:00", "7", "1e9d", "99999999d", "\x1b[2J", "2026-11-20Zz"]
)
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time; write 2026-11-20"):
        read(text)


def test_lengths_and_sizes_are_read_or_refused_with_examples() -> None:
    assert Lasting().convert("7d", None, None) == 604_800.0
    assert Size().convert("500MB", None, None) == 500_000_000
    for text in ("0d", "7", "long", "99999999w"):
        with pytest.raises(click.BadParameter, match="is no length of time; write 30min, 12h, 7d or 2w"):
            Lasting().convert(text, None, None)
    for text in ("much", "-1", "99999999999999TB"):
        with pytest.raises(click.BadParameter, match="is no size; write 500MB, 2GiB or a number of bytes"):
            Size().convert(text, None, None)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_795_183_385_123_456_789, "2026-11-20T14:03:05.123456Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854775Z"),
    ],
)
def test_a_point_of_time_is_written_in_utc(ns: int, text: str) -> None:
    assert iso(ns) == text
