"""Durations and tokens of model calls through the OpenTelemetry metrics API: free where no MeterProvider is set."""

from __future__ import annotations

from functools import cache
from typing import Any

from opentelemetry import metrics
from opentelemetry.metrics import Histogram, MeterProvider

from sentrial import semconv
from sentrial._foreign import SCOPE
from sentrial._version import __version__
from sentrial.types import Usage

# The conventions' bucket boundaries: seconds, and tokens.
_SECONDS = [0.01 * 2**n for n in range(14)]
_TOKENS = [4**n for n in range(14)]


_used: MeterProvider | None = None


def use_provider(provider: MeterProvider | None) -> None:
    """Record to ``provider`` from now on; to the global one, if ``None``."""
    global _used
    if provider is not _used:
        _used = provider
        _instruments.cache_clear()


@cache
def _instruments() -> tuple[Histogram, Histogram]:
    meter = metrics.get_meter(SCOPE, __version__, _used, semconv.SCHEMA_URL)
    return (
        meter.create_histogram(
            semconv.METRIC_OPERATION_DURATION,
            unit="s",
            description="Duration of one operation with a model",
            explicit_bucket_boundaries_advisory=_SECONDS,
        ),
        meter.create_histogram(
            semconv.METRIC_TOKEN_USAGE,
            unit="{token}",
            description="Tokens of one operation with a model",
            explicit_bucket_boundaries_advisory=_TOKENS,
        ),
    )


def wanted() -> bool:
    """Whether anybody has set a MeterProvider: until then, what would be recorded need not even be put together."""
    return _used is not None or not type(metrics.get_meter_provider()).__module__.startswith(_API)


# The API's own providers, which stand in for one that is not set, record nothing.
_API = "opentelemetry.metrics."


def record_call(attributes: dict[str, Any], seconds: float | None, usage: Usage | None) -> None:
    """Record one model call; what is ``None`` is not known. ``attributes``: the conventions' common set."""
    duration, tokens = _instruments()
    if seconds is not None:
        duration.record(seconds, attributes)
    if usage is None:
        return
    for kind, count in (
        (semconv.TOKEN_TYPE_INPUT, usage.input_tokens),
        (semconv.TOKEN_TYPE_OUTPUT, usage.output_tokens),
    ):
        if count is not None:
            tokens.record(count, {**attributes, semconv.GEN_AI_TOKEN_TYPE: kind})
