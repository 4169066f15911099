"""Placeholder until the machinery lands in this file."""

from __future__ import annotations

from collections.abc import Collection


def install(names: Collection[str] | None) -> None:
    """Patch the clients of ``names``."""


def uninstall() -> None:
    """Take all patches back."""
