"""The counters of spans stored and lost, through the metrics API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from sentrial._export.delivery_metrics import DeliveryMetrics

SENTRIAL = "Sentrial https://api.sentrial.com"


class Pipeline:
    """Counts to be read."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[str, int]] = {}

    def stats(self) -> dict[str, dict[str, int]]:
        return self.counts


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


@pytest.fixture
def reader() -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    yield reader
    reader.shutdown()


def counted(reader: InMemoryMetricReader) -> dict[tuple[Any, ...], Any]:
    """By the metric's name and the values of its attributes, the sums."""
    data = reader.get_metrics_data()
    found = {}
    for resource in data.resource_metrics if data is not None else ():
        for scope in resource.scope_metrics:
            assert scope.scope.name == "sentrial"
            for metric in scope.metrics:
                assert (metric.unit, metric.data.is_monotonic) == ("{span}", True)  # type: ignore[union-attr]  # sums all
                for point in metric.data.data_points:
                    found[(metric.name, *dict(point.attributes or {}).values())] = point.value  # type: ignore[union-attr]  # sums all
    return found


def test_spans_stored_and_lost_are_counted_by_destination_and_reason(
    pipeline: Pipeline, reader: InMemoryMetricReader
) -> None:
    metrics.set_meter_provider(MeterProvider([reader]))
    DeliveryMetrics(pipeline.stats).begin()
    assert counted(reader) == {}
    pipeline.counts = {SENTRIAL: {"stored": 7, "queue full": 3, "refused": 1}, "collector": {"stored": 0}}
    assert counted(reader) == {
        ("sentrial.spans.stored", SENTRIAL): 7,
        ("sentrial.spans.stored", "collector"): 0,
        ("sentrial.spans.lost", SENTRIAL, "queue full"): 3,
        ("sentrial.spans.lost", SENTRIAL, "refused"): 1,
    }


def test_a_meter_provider_that_is_set_later_gets_them_too(pipeline: Pipeline, reader: InMemoryMetricReader) -> None:
    DeliveryMetrics(pipeline.stats).begin()
    pipeline.counts = {SENTRIAL: {"stored": 7}}
    metrics.set_meter_provider(MeterProvider([reader]))
    assert counted(reader) == {("sentrial.spans.stored", SENTRIAL): 7}


def test_counters_go_on_where_the_counts_of_a_pipeline_begin_anew(
    pipeline: Pipeline, reader: InMemoryMetricReader, caplog: pytest.LogCaptureFixture
) -> None:
    metrics.set_meter_provider(MeterProvider([reader]))
    kept = DeliveryMetrics(pipeline.stats)
    kept.begin()
    pipeline.counts = {SENTRIAL: {"stored": 7, "queue full": 3}}
    kept.begin()
    pipeline.counts = {SENTRIAL: {"stored": 2}}
    assert counted(reader) == {
        ("sentrial.spans.stored", SENTRIAL): 9,
        ("sentrial.spans.lost", SENTRIAL, "queue full"): 3,
    }
    assert caplog.records == []  # no instrument was made twice


def test_a_forked_child_counts_its_own(pipeline: Pipeline, reader: InMemoryMetricReader) -> None:
    metrics.set_meter_provider(MeterProvider([reader]))
    kept = DeliveryMetrics(pipeline.stats)
    pipeline.counts = {SENTRIAL: {"stored": 7}}
    kept.begin()
    pipeline.counts = {SENTRIAL: {"stored": 1}}
    kept.forget()
    assert counted(reader) == {("sentrial.spans.stored", SENTRIAL): 1}
