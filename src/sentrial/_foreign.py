"""What spans of other instrumentations say that they are, in the current conventions and in older and other ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentrial import semconv

SCOPE = "sentrial"
"""The scope of our own spans."""


def read_kinds(attributes: Mapping[str, Any]) -> set[str]:
    """The words for its kind that a span carries, in lower case; empty where it tells of no AI."""
    return {str(attributes[key]).lower() for key in semconv.FOREIGN_KIND if key in attributes}
