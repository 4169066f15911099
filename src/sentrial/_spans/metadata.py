"""Open-ended maps of the caller's, as attributes that cannot push others off a span."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentrial import _guard, semconv
from sentrial._snapshot import Tally, snapshot
from sentrial._spans import amounts, attribute

MAX_KEYS = 32
"""Entries that get an attribute each; a larger map becomes one JSON attribute (a span holds 128 by default)."""


def write_metadata(metadata: object, attributes: dict[str, Any]) -> None:
    """Add ``metadata`` to ``attributes``: scalars as they are, the rest as JSON; secrets masked."""
    if metadata is None:
        return
    entries = snapshot(metadata, Tally())
    if isinstance(entries, dict):
        _write_map(entries, semconv.SENTRIAL_METADATA, attributes)
        return
    _guard.refuse(
        "metadata type",
        "sentrial: metadata is a %s, and has to be a mapping. It is kept as it is; give a dict.",
        type(metadata).__name__,
    )
    attributes[semconv.SENTRIAL_METADATA] = attribute.writer().json(entries)


def write_metrics(metrics: object, attributes: dict[str, Any]) -> None:
    """Add ``metrics`` to ``attributes`` as doubles; what is no number is logged and kept as metadata."""
    if metrics is None:
        return
    entries = snapshot(metrics, Tally())
    if not isinstance(entries, dict):
        _guard.refuse(
            "metrics type",
            "sentrial: custom_metrics is a %s, and has to be a mapping. It is kept as metadata; give a dict.",
            type(metrics).__name__,
        )
        write_metadata({"metric": entries}, attributes)
        return
    numbers: dict[str, float] = {}
    refused: dict[str, Any] = {}
    for name, value in entries.items():
        number = amounts.number(value)
        if number is None:
            refused[f"metric.{name}"] = value
        else:
            numbers[str(name)] = number
    if refused:
        _guard.refuse(
            "metrics values",
            "sentrial: custom_metrics[%.50r]=%s is not usable: it must be a number. It is kept as %s%s.",
            next(iter(refused)).removeprefix("metric."),
            _guard.shown(next(iter(refused.values()))),
            semconv.SENTRIAL_METADATA_PREFIX,
            next(iter(refused)),
        )
        _write_map(refused, semconv.SENTRIAL_METADATA, attributes)
    _write_map(numbers, semconv.SENTRIAL_METRICS, attributes)


def _write_map(entries: Mapping[Any, Any], key: str, attributes: dict[str, Any]) -> None:
    if len(entries) > MAX_KEYS:
        attributes[key] = attribute.writer().json(entries)
        return
    for name, value in entries.items():
        attribute.write_value(f"{key}.", str(name), value, attributes)
