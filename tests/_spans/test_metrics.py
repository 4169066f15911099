from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from sentrial import semconv
from sentrial._session import Session
from sentrial._spans import afterwards, llm
from sentrial._version import __version__
from sentrial.types import LlmRequest, LlmResponse, Usage
from written import Writing


@pytest.fixture
def reader(recorder: Writing) -> Iterator[InMemoryMetricReader]:
    """A real MeterProvider in the global place, where our instruments find it."""
    kept = InMemoryMetricReader()
    provider = MeterProvider([kept], shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    yield kept
    provider.shutdown()


def points(reader: InMemoryMetricReader, name: str) -> list[HistogramDataPoint]:
    data = reader.get_metrics_data()
    if data is None:
        return []
    return [
        point
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    ]


COMMON: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-11-20",
    "server.address": "api.openai.com",
    "server.port": 443,
}
REQUEST = LlmRequest("chat", "openai", "gpt-4o", server_address="api.openai.com", server_port=443)


def test_names_units_and_scope_are_the_released_ones(reader: InMemoryMetricReader) -> None:
    llm.begin(REQUEST).succeed(LlmResponse(usage=Usage(1, 2)))
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    assert (scope.scope.name, scope.scope.version, scope.scope.schema_url) == (
        "sentrial", __version__, semconv.SCHEMA_URL,
    )  # fmt: skip
    assert [(metric.name, metric.unit) for metric in scope.metrics] == [
        ("gen_ai.client.operation.duration", "s"),
        ("gen_ai.client.token.usage", "{token}"),
    ]


def test_a_call_records_its_duration_and_both_kinds_of_tokens(reader: InMemoryMetricReader) -> None:
    llm.begin(REQUEST).succeed(LlmResponse(model="gpt-4o-2024-11-20", usage=Usage(1200, 340, 200)))
    data = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    duration, tokens = (metric.data.data_points for metric in data)
    (one,) = duration
    assert dict(one.attributes) == COMMON
    assert one.count == 1
    assert 0 < one.sum < 60
    assert one.explicit_bounds == tuple(0.01 * 2**n for n in range(14))
    assert {point.attributes["gen_ai.token.type"]: point.sum for point in tokens} == {"input": 1200, "output": 340}
    for point in tokens:
        assert dict(point.attributes) == {**COMMON, "gen_ai.token.type": point.attributes["gen_ai.token.type"]}
        assert point.explicit_bounds == tuple(4**n for n in range(14))


def test_a_failure_is_told_apart_by_its_type(reader: InMemoryMetricReader, session: Session) -> None:
    llm.begin(REQUEST).fail(TimeoutError("slow"))
    afterwards.tell_llm_call(session, "m", error="words", duration_ms=5)
    afterwards.tell_llm_call(session, "m", error={"message": "words", "type": "rate_limit"}, duration_ms=5)
    found = points(reader, "gen_ai.client.operation.duration")
    assert [point.attributes["error.type"] for point in found] == ["TimeoutError", "_OTHER", "rate_limit"]
    assert points(reader, "gen_ai.client.token.usage") == []


def test_nobody_is_named_on_a_metric(reader: InMemoryMetricReader, session: Session) -> None:
    afterwards.tell_llm_call(session, "m", provider="openai", prompt_tokens=1, duration_ms=5)
    (point,) = points(reader, "gen_ai.client.operation.duration")
    assert dict(point.attributes) == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m",
    }  # fmt: skip


def test_a_told_duration_is_recorded_and_none_is_made_up(reader: InMemoryMetricReader, session: Session) -> None:
    afterwards.tell_llm_call(session, "told", duration_ms=1_500, prompt_tokens=7)
    afterwards.tell_llm_call(session, "untold", prompt_tokens=8)
    data = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    duration, tokens = (metric.data.data_points for metric in data)
    (one,) = duration
    assert one.attributes["gen_ai.request.model"] == "told"
    assert one.sum == pytest.approx(1.5)
    assert [point.sum for point in tokens] == [7, 8]


def test_without_a_meter_provider_calls_go_on(recorder: Writing) -> None:
    llm.begin(REQUEST).succeed(LlmResponse(usage=Usage(1, 2)))
    assert recorder.last.attributes["gen_ai.usage.input_tokens"] == 1
