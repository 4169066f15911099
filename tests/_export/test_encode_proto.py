from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from receivers.normal_form import document_of, spans_in
from sentrial._export.encode_json import encode_json
from sentrial._export.encode_proto import encode_proto

CONTEXT = SpanContext(0xA1, 0xB2, False)


def span_with(attributes: dict[str, Any] | None = None, **fields: Any) -> ReadableSpan:
    given: dict[str, Any] = {
        "name": "odd",
        "context": CONTEXT,
        "resource": Resource({}),
        "start_time": 1,
        "end_time": 2,
        "attributes": attributes or {},
        **fields,
    }
    return ReadableSpan(**given)


def decoded(*spans: ReadableSpan) -> list[dict[str, Any]]:
    return spans_in(document_of(ExportTraceServiceRequest.FromString(encode_proto(spans))))


def test_sound_spans_come_out_as_the_stock_encoder_has_them() -> None:
    spans = [span_with({"a": 1, "m": {"x": [1.5]}}), span_with({"b": float("inf")}, name="second")]
    assert encode_proto(spans) == encode_spans(spans).SerializeToString()


def test_text_that_is_no_unicode_is_replaced_wherever_it_stands(caplog: pytest.LogCaptureFixture) -> None:
    bad = "a\ud800"
    span = span_with(
        {bad: bad, "list": [bad]},
        name=bad,
        status=Status(StatusCode.ERROR, bad),
        events=[Event(bad, {"e": bad}, 5)],
        links=[Link(CONTEXT, {"l": bad})],
        resource=Resource({"r": bad}),
    )
    (got, sound) = decoded(span, span_with({"k": "v"}))

    mended = "a\ufffd"
    assert got["name"] == mended
    assert got["attributes"] == {mended: mended, "list": [mended]}
    assert got["status_message"] == mended
    assert got["events"] == [{"name": mended, "time_ns": 5, "attributes": {"e": mended}, "dropped_attributes": 0}]
    assert got["links"][0]["attributes"] == {"l": mended}
    assert got["resource"] == {"r": mended}
    assert sound["attributes"] == {"k": "v"}
    assert caplog.text == ""


def test_what_protobuf_has_no_room_for_is_sent_as_json_has_it(caplog: pytest.LogCaptureFixture) -> None:
    attributes = {"huge": 2**63, "holes": [None, 1], "none": None, "odd": {1}, "deep": {"none": None, "k": 2**64}}
    (got,) = decoded(span_with(attributes))
    assert got["attributes"] == {
        "huge": "9223372036854775808",
        "holes": [1],
        "odd": "{1}",
        "deep": {"k": "18446744073709551616"},
    }
    assert encode_json([span_with(attributes)]).count(b"18446744073709551616") == 1
    assert caplog.text == ""


def test_counts_of_what_was_dropped_survive_the_cleaning() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource({}),
        span_limits=SpanLimits(max_span_attributes=1, max_events=1, max_links=1, max_event_attributes=1),
    )
    provider.add_span_processor(SimpleSpanProcessor(kept))
    span = provider.get_tracer("t").start_span("n\udfff", links=[Link(CONTEXT), Link(CONTEXT)])
    span.set_attributes({"a": 1, "b": 2})
    for name in "xyz":
        span.add_event(name, {"a": 1, "b": 2})
    span.end()
    provider.shutdown()

    (got,) = decoded(*kept.get_finished_spans())
    assert got["name"] == "n\ufffd"
    assert (got["dropped_attributes"], got["dropped_events"], got["dropped_links"]) == (1, 2, 1)
    assert got["events"][0]["dropped_attributes"] == 1
    assert got["scope_name"] == "t"


def test_a_span_that_cannot_be_encoded_is_named_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    broken = span_with(name="broken", events=[Event("e", {}, "yesterday")])  # type: ignore[arg-type]  # the point
    with caplog.at_level(logging.WARNING):
        got = decoded(span_with(name="sound"), broken)
    assert [span["name"] for span in got] == ["sound"]
    assert "1 of 2 spans cannot be encoded and are left out: 'broken': TypeError" in caplog.text
