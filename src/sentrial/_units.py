"""Sizes and lengths of time as people write them: ``512 MB``, ``30d``."""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"\s*(?P<number>[0-9]{1,18}(?:\.[0-9]{1,9})?)\s*(?P<unit>[a-zA-Z]*)\s*")

_BYTES = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "tb": 1000**4,
    "k": 1024,
    "m": 1024**2,
    "g": 1024**3,
    "t": 1024**4,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
    "tib": 1024**4,
}
_SECONDS = {
    "s": 1.0,
    "sec": 1.0,
    "min": 60.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "w": 7 * 86_400.0,
}


def read_bytes(text: str) -> int | None:
    """How many bytes ``text`` says; ``None`` where it says none. Without a unit: bytes."""
    number, unit = _read(text)
    factor = _BYTES.get(unit)
    return None if number is None or factor is None else int(number * factor)


def write_bytes(size: int) -> str:
    """``500 bytes``, ``12.3 MB``, ``2 GB``."""
    for unit in ("GB", "MB", "kB"):
        if size >= _BYTES[unit.lower()]:
            return f"{size / _BYTES[unit.lower()]:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} byte" + ("" if size == 1 else "s")


def read_seconds(text: str, *, bare: bool = False) -> float | None:
    """How many seconds ``text`` says; ``None`` where it says none. ``bare``: whether it may do without a unit."""
    number, unit = _read(text)
    factor = 1.0 if bare and not unit else _SECONDS.get(unit)
    return None if number is None or factor is None else number * factor


def _read(text: str) -> tuple[float | None, str]:
    found = _WRITTEN.fullmatch(text)
    return (None, "") if found is None else (float(found["number"]), found["unit"].lower())
