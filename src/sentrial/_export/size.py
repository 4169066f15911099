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
    long = [key for key, value in attributes.items() if isinstance(value, str) and len(value) > KEPT]
    if not long and not span.events:
        return None
    left_out = sum(len(attributes.pop(key)) for key in long)
    attributes[semconv.SENTRIAL_TRUNCATED] = (
        f"left out, since the destination refused the span for its size: {left_out} characters of "
        f"{', '.join(long) or 'events'}"
    )
    return copy_span(span, attributes=attributes, events=())
