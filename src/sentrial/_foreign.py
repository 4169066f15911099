"""What spans of other instrumentations say that they are, in the current conventions and in older and other ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sentrial import _guard, semconv

SCOPE = "sentrial"
"""The scope of our own spans."""


def read_kinds(attributes: Mapping[str, Any]) -> set[str]:
    """The words for its kind that a span carries, in lower case; empty where it tells of no AI."""
    return {str(attributes[key]).lower() for key in semconv.FOREIGN_KIND if key in attributes}


def is_on(instrumentor: object) -> bool:
    """Whether ``instrumentor``, the one instance that OpenTelemetry keeps of such a class, is switched on."""
    return getattr(instrumentor, "is_instrumented_by_opentelemetry", False) is True


def say_told_by(teller: str, what: str) -> None:
    """Say once that ``what`` is recorded by another instrumentation, ``teller``, so that nobody of ours does."""
    _guard.say_once(
        f"{what} told by another",
        "sentrial: %s are recorded by %s already, so that they are not recorded twice. Its spans count in their "
        "sessions. To have ours instead, switch that instrumentation off.",
        what,
        teller,
        level=logging.INFO,
    )
