"""Makes a span fit where even a batch of one is too large: the longest texts go, the skeleton stays."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from sentrial import semconv
from sentrial._export.item import copy_span

KEPT = 256
"""Characters of an attribute that are left alone however large the span is."""


def shrink(span: ReadableSpan) -> ReadableSpan | None:
    """``span`` without its long texts, saying so; ``None`` if there is nothing long to leave out."""
    attributes: dict[str, Any] = dict(span.attributes or {})
    long = {key: size for key, value in attributes.items() if (size := _characters(value)) > KEPT}
    if not long and not span.events:
        return None
    for key in long:
        del attributes[key]
    left_out = sum(long.values())
    attributes[semconv.SENTRIAL_TRUNCATED] = (
        f"left out, since the destination refused the span for its size: {left_out} characters of "
        f"{', '.join(long) or 'events'}"
    )
    return copy_span(span, attributes=attributes, events=())


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return sum(map(_characters, value)) if isinstance(value, tuple | list) else 0
