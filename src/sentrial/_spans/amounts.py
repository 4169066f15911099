"""Numbers as callers give them: what can be used, and a clear word about what cannot. Nothing is lost."""

from __future__ import annotations

import math
from typing import Any

from sentrial import _guard, semconv
from sentrial._spans import attribute

_MOST = float((1 << 63) - 1024)  # the largest double that fits an integer attribute


def read_number(name: str, value: object, attributes: dict[str, Any], *, low: float, high: float) -> float | None:
    """``value`` as a number from ``low`` to ``high``.

    What is none is logged, and kept as it came under ``sentrial.metadata.<name>`` in ``attributes``.
    """
    if value is None:
        return None
    found = number(value)
    if found is not None and low <= found <= high:
        return found
    wanted = f"a number from {low:g} to {high:g}" if high < _MOST else f"a number not below {low:g}"
    _guard.say_once(
        f"amount {name}",
        "sentrial: %s=%s is not usable: it must be %s. It is kept as %s%s; give the call a number.",
        name,
        _guard.shown(value),
        wanted,
        semconv.SENTRIAL_METADATA_PREFIX,
        name,
    )
    attribute.write_value(semconv.SENTRIAL_METADATA_PREFIX, name, value, attributes)
    return None


def read_cost(value: object, attributes: dict[str, Any]) -> float | None:
    """A cost in dollars."""
    return read_number("estimated_cost", value, attributes, low=0.0, high=math.inf)


def read_count(name: str, value: object, attributes: dict[str, Any]) -> int | None:
    """A count, such as tokens."""
    found = read_number(name, value, attributes, low=0, high=_MOST)
    if found is None:
        return None
    return value if type(value) is int else int(found)


def number(value: object) -> float | None:
    """``value`` as a finite number; ``None`` where it is none."""
    if isinstance(value, bool | str | bytes):
        return None
    try:
        found = float(value)  # type: ignore[arg-type]  # Decimal, numpy and Fraction have __float__; others are refused
    except Exception:  # noqa: BLE001 - __float__ is the user's own code
        return None
    return found if math.isfinite(found) else None
