"""Open-ended maps of the caller's, as attributes that cannot push others off a span."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentrial import _guard, _payload, semconv
from sentrial._json import SECRET, JsonWriter, Texts
from sentrial._snapshot import Tally, snapshot
from sentrial._spans import amounts

MAX_KEYS = 32
"""Entries that get an attribute each; a larger map becomes one JSON attribute (a span holds 128 by default)."""


def write_metadata(metadata: object, attributes: dict[str, Any]) -> None:
    """Add ``metadata`` to ``attributes``: scalars as they are, the rest as JSON; secrets masked."""
    if metadata is None:
        return
    if not isinstance(metadata, Mapping):
        _guard.say_once(
            "metadata type",
            "sentrial: metadata=%.200r is no mapping. It is kept as it is; give a dict.",
            metadata,
        )
        attributes[semconv.SENTRIAL_METADATA] = _writer().json(snapshot(metadata, Tally()))
        return
    _write_map(metadata, semconv.SENTRIAL_METADATA, attributes)


def write_metrics(metrics: object, attributes: dict[str, Any]) -> None:
    """Add ``metrics`` to ``attributes`` as doubles; what is no number is logged and kept as metadata."""
    if metrics is None:
        return
    if not isinstance(metrics, Mapping):
        _guard.say_once(
            "metrics type",
            "sentrial: custom_metrics=%.200r is no mapping. It is kept as metadata; give a dict of numbers.",
            metrics,
        )
        write_metadata({"metric": metrics}, attributes)
        return
    numbers: dict[str, float] = {}
    for name, value in metrics.items():
        number = amounts.read_number(f"metric.{name}", value, attributes, low=-float("inf"), high=float("inf"))
        if number is not None:
            numbers[str(name)] = number
    _write_map(numbers, semconv.SENTRIAL_METRICS, attributes)


def _write_map(entries: Mapping[Any, Any], key: str, attributes: dict[str, Any]) -> None:
    writer = _writer()
    frozen: Any = snapshot(dict(entries), Tally())
    if len(frozen) > MAX_KEYS:
        attributes[key] = writer.json(frozen)
        return
    masker = _payload.policy.masker
    for name, value in frozen.items():
        name = str(name)
        if value is None:
            continue
        if masker.is_secret(name):
            attributes[f"{key}.{name}"] = SECRET
        elif isinstance(value, str):
            attributes[f"{key}.{name}"] = writer.text(value)
        elif isinstance(value, bool | float) or (isinstance(value, int) and -(1 << 63) <= value < 1 << 63):
            attributes[f"{key}.{name}"] = value
        else:
            attributes[f"{key}.{name}"] = writer.json(value)


def _writer() -> JsonWriter:
    return JsonWriter(_payload.policy.masker, Texts())
