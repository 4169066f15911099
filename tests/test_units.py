"""Sizes and lengths of time as people write them."""

from __future__ import annotations

import pytest

from sentrial._settings import SETTINGS
from sentrial._units import read_bytes, read_seconds, write_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1048576", 1_048_576),
        ("500MB", 500_000_000),
        ("500 mb", 500_000_000),
        ("1.5kB", 1_500),
        ("2GiB", 2_147_483_648),
        ("2G", 2_147_483_648),
        (" 1TiB ", 2**40),
        ("MB", None),
        ("5 parsecs", None),
        ("-1", None),
        ("1e9", None),
        ("nan", None),
        ("9" * 30, None),
        ("\u0663MB", None),
    ],
)
def test_a_size_is_read_or_it_is_none(text: str, size: int | None) -> None:
    assert read_bytes(text) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (500, "500 bytes"),
        (1_500, "1.5 kB"),
        (500_000_000, "500 MB"),
        (2**30, "1.1 GB"),
        (10**13, "10000 GB"),
    ],
)
def test_a_size_is_written_in_the_unit_that_fits(size: int, text: str) -> None:
    assert write_bytes(size) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("30min", 1800.0), ("30m", 1800.0), ("1.5h", 5400.0), ("7 D", 604_800.0), ("2w", 1_209_600.0)],
)
def test_a_length_of_time_is_read_with_its_unit(text: str, seconds: float) -> None:
    assert read_seconds(text) == seconds


def test_a_length_of_time_without_unit_counts_only_where_that_is_allowed() -> None:
    assert read_seconds("60") is None
    assert read_seconds("60", bare=True) == 60.0
    assert read_seconds("2030-01-01", bare=True) is None
    assert read_seconds("", bare=True) is None


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("store_max_size", "500MB", 500_000_000),
        ("store_max_size", 1024, 1024),
        ("store_max_age", "30d", 2_592_000.0),
        ("store_max_age", "60", 60.0),
        ("store_max_age", 1.5, 1.5),
    ],
)
def test_the_bounds_of_the_store_are_settings(name: str, given: object, read: object) -> None:
    assert SETTINGS[name].read(given) == read


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("store_max_size", "0"),
        ("store_max_size", True),
        ("store_max_size", "much"),
        ("store_max_age", "0d"),
        ("store_max_age", "soon"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused_with_examples(name: str, given: object) -> None:
    with pytest.raises(ValueError, match=r"500MB or 2GiB|12h or 30d"):
        SETTINGS[name].read(given)
