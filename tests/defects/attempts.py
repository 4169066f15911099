"""Pieces of work that must not raise, each tried on its own. Nothing but the standard library."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def raised_by(attempts: Mapping[str, Callable[[], object]]) -> dict[str, str]:
    """Of each attempt that raised, the name of the exception."""
    raised = {}
    for name, attempt in attempts.items():
        try:
            attempt()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the program saw
            raised[name] = type(error).__name__
    return raised


def told(raised: Mapping[str, str]) -> str:
    """In words, such as ``TypeError (datetime, set)``."""
    by_kind: dict[str, list[str]] = {}
    for name, kind in raised.items():
        by_kind.setdefault(kind, []).append(name)
    return "; ".join(f"{kind} ({', '.join(names)})" for kind, names in by_kind.items())
