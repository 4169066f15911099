"""Numbers as callers give them: what can be used, and a clear word about what cannot. Nothing is lost."""

from __future__ import annotations

import math
from typing import Any

from sentrial import _guard, semconv


def read_number(name: str, value: object, attributes: dict[str, Any], *, low: float, high: float) -> float | None:
    """``value`` as a number from ``low`` to ``high``.

    What is none is logged, and kept as it came under ``sentrial.metadata.<name>`` in ``attributes``.
    """
    if value is None:
        return None
    number = _number(value)
    if number is not None and low <= number <= high:
        return number
    wanted = f"a number from {low:g} to {high:g}" if math.isfinite(high) else f"a number not below {low:g}"
    _guard.say_once(
        f"amount {name}",
        "sentrial: %s=%.200r is not usable: it must be %s. It is kept as %s%s; give the call a number.",
        name,
        value,
        wanted,
        semconv.SENTRIAL_METADATA_PREFIX,
        name,
    )
    attributes[semconv.SENTRIAL_METADATA_PREFIX + name] = str(value)[:1_000]
    return None


def read_cost(value: object, attributes: dict[str, Any]) -> float | None:
    """A cost in dollars."""
    return read_number("estimated_cost", value, attributes, low=0.0, high=math.inf)


def read_count(name: str, value: object, attributes: dict[str, Any]) -> int | None:
    """A count, such as tokens."""
    number = read_number(name, value, attributes, low=0, high=math.inf)
    return None if number is None else int(number)


def _number(value: object) -> float | None:
    if isinstance(value, bool | str | bytes):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]  # Decimal, numpy and Fraction have __float__; others are refused
    except Exception:  # noqa: BLE001 - __float__ is the user's own code
        return None
    return number if math.isfinite(number) else None
