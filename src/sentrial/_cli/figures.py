"""Numbers as people read them: times, tokens, dollars."""

from __future__ import annotations

from datetime import datetime

_S = 1_000_000_000


def moment(ns: int, layout: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A point of Unix time, in nanoseconds, as local time."""
    return datetime.fromtimestamp(ns // _S).astimezone().strftime(layout)


def duration(ns: int) -> str:
    """``310ms``, ``1.20s``, ``2m05s``, ``1h02m``."""
    if ns < _S:
        return f"{ns / 1_000_000:.0f}ms" if ns >= 1_000_000 else f"{ns / 1_000_000:.1g}ms"
    return f"{ns / _S:.2f}s" if ns < 60 * _S else _long(ns)


def offset(ns: int) -> str:
    """How long after the session's start: always in seconds, so that a column of them lines up."""
    return f"{ns / _S:.2f}s" if ns < 600 * _S else _long(ns)


def whole(number: int) -> str:
    """``2,000``."""
    return f"{number:,}"


def tokens(number: int) -> str:
    """``2,000``, ``123k``, ``1.2M``: at most six characters for what people have."""
    if number < 100_000:
        return whole(number)
    return f"{number / 1_000:.0f}k" if number < 999_500 else f"{number / 1_000_000:.1f}M"


def dollars(cost: float) -> str:
    """``$0.0450``, ``$12.30``, ``$1,200``."""
    if cost == 0:
        return "$0"
    if abs(cost) < 0.00005:
        return "<$0.0001"
    if abs(cost) < 1:
        return f"${cost:.4f}"
    return f"${cost:,.2f}" if abs(cost) < 1_000 else f"${cost:,.0f}"


def count(number: int, noun: str) -> str:
    """``1 tool call``, ``2 tool calls``."""
    return f"{whole(number)} {noun}" + ("" if number == 1 else "s")


def _long(ns: int) -> str:
    minutes, seconds = divmod(round(ns / _S), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{seconds:02d}s"
