"""Numbers as callers give them: what can be used, and a clear word about what cannot. Nothing is lost."""

from __future__ import annotations

import math
from typing import Any

from sentrial import _guard, _setting_values, semconv
from sentrial._spans import attribute

_BOOLEANS = ("bool_", "bool")  # those of array libraries can be counted with, and are no amounts
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
    _guard.refuse(
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


def read_switch(name: str, value: object, attributes: dict[str, Any], *, default: bool) -> bool:
    """``value`` as true or false, ``default`` where it is ``None``. What is neither is said, kept, and counts as Python
    would have it."""
    if value is None or value is True or value is False:
        return default if value is None else value
    found, kind = default, type(value)
    try:
        found = bool(value)
    except Exception:  # noqa: BLE001 - __bool__ is the user's own code
        kind = object
    if (kind is int and value in (0, 1)) or kind.__name__ in _BOOLEANS:
        return found
    _guard.refuse(
        f"switch {name}",
        "sentrial: %s=%s is not usable: it must be True or False. It counts as %s, and is kept as %s%s.",
        name,
        _guard.shown(value),
        found,
        semconv.SENTRIAL_METADATA_PREFIX,
        name,
    )
    attribute.write_value(semconv.SENTRIAL_METADATA_PREFIX, name, value, attributes)
    return found


def read_seconds(name: str, value: object, default: float) -> float:
    """``value`` as a time to wait; ``default`` where it is ``None``, or none, which is said."""
    found = _seconds(name, value, default)
    return default if found is None else found


@_guard.guarded("reading a time to wait", _guard.nothing)
def _seconds(name: str, value: object, default: float) -> float | None:
    found = math.inf if type(value) is float and value == math.inf else number(value)
    if found is not None and found >= 0:
        return min(found, _setting_values.LONGEST)
    if value is not None:
        _guard.refuse(
            f"seconds {name}",
            "sentrial: %s=%s is not usable: it must be a number of seconds, not below 0. It counts as %g.",
            name,
            _guard.shown(value),
            default,
        )
    return None


def number(value: object) -> float | None:
    """``value`` as a finite number; ``None`` where it is none."""
    kind = type(value)
    if issubclass(kind, bool | str | bytes) or kind.__name__ in _BOOLEANS:
        return None
    try:
        found = float(value)  # type: ignore[arg-type]  # Decimal, numpy and Fraction have __float__; others are refused
    except Exception:  # noqa: BLE001 - __float__ is the user's own code
        return None
    return found if math.isfinite(found) else None
