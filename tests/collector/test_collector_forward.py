"""forward.yaml: what an application sends reaches Sentrial as if it had sent it there itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import sentrial
from real_collector import (
    KEY,
    NAMES,
    SentrialBehindCollector,
    StartCollector,
    by_session,
    span_keys,
    support_session,
)
from receivers import SentrialStandIn


def in_order(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(spans, key=lambda span: span["span_id"])


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf", "http/json"])
def test_sessions_arrive_by_each_protocol_as_they_do_without_a_collector(
    protocol: str,
    start_collector: StartCollector,
    far_end: SentrialBehindCollector,
    violations: Callable[..., list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collector = start_collector("forward.yaml")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    with SentrialStandIn([KEY]) as direct:
        sentrial.configure(
            api_key=KEY,
            api_url=direct.url,
            otlp_endpoint=collector.grpc_url if protocol == "grpc" else collector.http_url,
            flush_interval=0.05,
        )
        ids = [support_session(number, failed=number == 2) for number in range(3)]
        assert sentrial.flush(10)
        assert in_order(far_end.wait_for_spans(13)) == in_order(direct.spans)
        sentrial.shutdown(5)
    assert by_session(far_end.spans) == {
        ids[0]: NAMES,
        ids[1]: NAMES,
        ids[2]: sorted([*NAMES, "error"]),
    }
    assert len(set(span_keys(far_end.spans))) == 13
    assert violations(far_end.otlp_json(), 13) == []


def test_what_sentrial_cannot_take_now_is_kept_and_sent_later(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    collector = start_collector("forward.yaml")
    sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.05)
    far_end.respond(503, times=2)
    session = support_session(1)
    assert sentrial.flush(10)
    assert sentrial.stats() == {"collector": {"stored": 4}}
    far_end.wait_for_spans(4)
    assert by_session(far_end.spans) == {session: NAMES}


def test_a_key_that_sentrial_refuses_loses_what_was_sent_with_it_and_the_collector_says_so(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    collector = start_collector("forward.yaml", SENTRIAL_API_KEY="wrong")
    sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.05)
    support_session(1)
    assert sentrial.flush(10)
    assert "HTTP Status Code 403" in collector.wait_for_log("Exporting failed. Dropping data.")
    assert collector.wait_for_metric("exporter_send_failed_spans", 4) == 4
    assert far_end.spans == []


def test_above_its_memory_limit_it_refuses_and_the_sdk_keeps_the_spans(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    # 1 MiB is less than an idle collector needs.
    collector = start_collector("forward.yaml", COLLECTOR_MEMORY_MIB=1)
    sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.05)
    collector.wait_for_log("Memory usage is above soft limit")
    support_session(1)
    collector.wait_for_metric("receiver_refused_spans", 4)
    assert sentrial.stats() == {"collector": {"stored": 0}}
    assert far_end.requests == []
