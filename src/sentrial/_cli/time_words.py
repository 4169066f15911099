"""Points and lengths of time as people type them: ``2026-11-20``, ``2026-11-20 14:03``, ``2h`` (ago), ``7d``."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any

import click

from sentrial._units import read_bytes, read_seconds

_LONGEST_S = 100 * 366 * 86_400.0
_DAY = "%Y-%m-%d"
_LAYOUTS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST_US = (datetime(9999, 12, 31, tzinfo=timezone.utc) - _EPOCH) // timedelta(microseconds=1)
_CLOCK = ("%H:%M", "%H:%M:%S")


class Moment(click.ParamType):  # type: ignore[type-arg]  # newer versions of click have it generic
    """A point of time, as nanoseconds of Unix time; in local time where it names no other.

    A day alone is its beginning, or, with ``end``, its last moment.
    """

    name = "time"

    def __init__(self, *, end: bool = False) -> None:
        self._end = end

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read ``value``, or fail with examples."""
        if isinstance(value, int):
            return value
        ns = _read(str(value).strip(), end=self._end)
        if ns is None:
            self.fail(
                f"{value!r} is no time; write 2026-11-20, '2026-11-20 14:03', 14:03 (today), or 2h or 7d (ago)",
                param,
                ctx,
            )
        return ns


class Lasting(click.ParamType):  # type: ignore[type-arg]  # as above
    """A length of time, in seconds."""

    name = "length of time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read ``value``, or fail with examples."""
        seconds = value if isinstance(value, float) else read_seconds(str(value))
        if seconds is None or not 0 < seconds < _LONGEST_S:
            self.fail(f"{value!r} is no length of time; write 30min, 12h, 7d or 2w", param, ctx)
        return seconds


class Size(click.ParamType):  # type: ignore[type-arg]  # as above
    """A size, in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read ``value``, or fail with examples."""
        size = value if isinstance(value, int) else read_bytes(str(value))
        if size is None or not 0 <= size < 2**63:
            self.fail(f"{value!r} is no size; write 500MB, 2GiB or a number of bytes", param, ctx)
        return size


def iso(ns: int) -> str:
    """A point of Unix time, in nanoseconds, as ISO 8601 in UTC with microseconds."""
    moment = _EPOCH + timedelta(microseconds=min(ns // 1_000, _LAST_US))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read(text: str, *, end: bool) -> int | None:
    if text == "now":
        return time.time_ns()
    ago = read_seconds(text)
    if ago is not None:
        return time.time_ns() - int(ago * 1e9) if ago < _LONGEST_S else None
    day = _parsed(text, _DAY)
    if day is not None:
        return _ns(day + timedelta(days=1) - timedelta(microseconds=1) if end else day)
    for layout in _CLOCK:
        clock = _parsed(text, layout)
        if clock is not None:
            return _ns(datetime.combine(datetime.now().date(), clock.time()))
    for layout in _LAYOUTS:
        whole = _parsed(text.replace("T", " "), layout)
        if whole is not None:
            return _ns(whole)
    return _with_zone(text)


def _with_zone(text: str) -> int | None:
    # Before Python 3.11 fromisoformat does not know the letter.
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    except ValueError:
        return None
    return _ns(moment)


def _parsed(text: str, layout: str) -> datetime | None:
    try:
        return datetime.strptime(text, layout)
    except ValueError:
        return None


def _ns(moment: datetime) -> int | None:
    try:
        since = moment.astimezone(timezone.utc) - _EPOCH
    except (OverflowError, OSError, ValueError):
        return None
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000
