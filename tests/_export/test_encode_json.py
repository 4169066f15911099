from __future__ import annotations

import enum
import json
import logging
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from receivers.normal_form import document_of, spans_in
from receivers.strict_json import complaints
from sentrial._export.encode_json import encode_json

TRACE, SPAN, OTHER = 0x0AF7651916CD43DD8448EB211C80319C, 0x00F067AA0BA902B7, 0x1112131415161718
REMOTE = SpanContext(TRACE, OTHER, True, TraceFlags(1), TraceState([("vendor", "ab"), ("k", "v")]))


def span_with(attributes: dict[str, Any] | None = None, **fields: Any) -> ReadableSpan:
    """A span as nothing but its constructor makes it: older SDKs clean what a tracer is given."""
    given: dict[str, Any] = {
        "name": "odd",
        "context": SpanContext(TRACE, SPAN, False),
        "resource": Resource({}),
        "start_time": 1,
        "end_time": 2,
        "attributes": attributes or {},
        **fields,
    }
    return ReadableSpan(**given)


def decoded(*spans: ReadableSpan) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode_json(spans))
    return document


def only_span(span: ReadableSpan) -> dict[str, Any]:
    raw: dict[str, Any] = decoded(span)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    return raw


def values(attributes: dict[str, Any]) -> dict[str, Any]:
    """Raw AnyValues by key, as they stand in the JSON."""
    return {pair["key"]: pair["value"] for pair in only_span(span_with(attributes)).get("attributes", [])}


@pytest.fixture
def recorded() -> list[ReadableSpan]:
    """Spans of real tracers that use every field there is."""
    kept = InMemorySpanExporter()
    limits = SpanLimits(max_span_attributes=8, max_events=2, max_links=2, max_event_attributes=1, max_link_attributes=1)
    resource = Resource({"service.name": "agent", "process.pid": 7, "tags": ["a", "b"]}, "https://schema/resource")
    provider = TracerProvider(resource=resource, span_limits=limits)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    full = provider.get_tracer("full", "1.2", "https://schema/scope", {"scope.key": True})
    bare = provider.get_tracer("bare")

    links = [Link(SpanContext(TRACE, n, n == 3, TraceFlags(1)), {"n": n, "m": n}) for n in (1, 2, 3)]
    parent = set_span_in_context(NonRecordingSpan(REMOTE))
    span = full.start_span("root", parent, SpanKind.SERVER, {f"k{n}": n for n in range(10)}, links, 1_700_000_000_000)
    span.set_attributes({"text": 'é "quoted" \\ \n\x00\u2028 漢字 🙂', "flag": True, "number": -(2**63), "part": 0.1})
    span.set_attributes({"many": [1, 2], "words": ["x", ""], "no": [False, True], "big": 1e300})
    for n in range(3):
        span.add_event(f"event {n}", {"a": n, "b": n}, 1_700_000_000_001 + n)
    span.set_status(Status(StatusCode.ERROR, "it broke"))
    child = bare.start_span("child", set_span_in_context(span), SpanKind.CLIENT)
    child.set_status(Status(StatusCode.OK))
    child.end(1_700_000_000_020)
    span.end(1_700_000_000_030)
    for kind in SpanKind:
        full.start_span(f"kind {kind.name}", kind=kind).end()
    provider.shutdown()
    return list(kept.get_finished_spans())


def test_every_field_is_what_the_stock_protobuf_encoder_says(recorded: list[ReadableSpan]) -> None:
    ours = spans_in(decoded(*recorded))
    stock = spans_in(document_of(encode_spans(recorded)))

    assert len(ours) == 7
    by_id = {span["span_id"]: span for span in stock}
    for span in ours:
        assert span == by_id[span["span_id"]]


def test_what_the_test_above_compares_is_not_empty(recorded: list[ReadableSpan]) -> None:
    root = next(span for span in spans_in(decoded(*recorded)) if span["name"] == "root")
    assert root["parent_span_id"] == "1112131415161718"
    assert root["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert root["trace_state"] == "vendor=ab,k=v"
    assert root["flags"] == 0x300
    assert (root["status_code"], root["status_message"]) == (2, "it broke")
    assert (root["kind"], root["start_ns"], root["end_ns"]) == (2, 1_700_000_000_000, 1_700_000_000_030)
    assert (root["dropped_attributes"], root["dropped_events"], root["dropped_links"]) == (10, 1, 1)
    assert [event["dropped_attributes"] for event in root["events"]] == [1, 1]
    assert [link["flags"] for link in root["links"]] == [0x100, 0x300]
    assert root["attributes"]["text"] == 'é "quoted" \\ \n\x00\u2028 漢字 🙂'
    assert root["attributes"]["number"] == -(2**63)
    assert root["resource"] == {"service.name": "agent", "process.pid": 7, "tags": ["a", "b"]}
    assert (root["scope_name"], root["scope_version"], root["scope_attributes"]) == ("full", "1.2", {"scope.key": True})


def test_a_strict_reader_has_no_complaint(recorded: list[ReadableSpan]) -> None:
    odd = span_with(
        {
            "none": None, "list": [], "map": {}, "nested": {"none": None, "list": [], "deep": {"map": {}}},
            "holes": [None, 1, [], {}], "nan": float("nan"), "huge": 2**70, "bytes": b"\x00", "surrogate": "a\ud800b",
        },
        name="\udfff",
    )  # fmt: skip
    assert complaints(decoded(*recorded, odd)) == []


def test_spans_are_grouped_by_resource_and_scope(recorded: list[ReadableSpan]) -> None:
    elsewhere = span_with(resource=Resource({"service.name": "other"}))
    document = decoded(*recorded, elsewhere)

    first, second = document["resourceSpans"]
    assert first["schemaUrl"] == "https://schema/resource"
    assert {scoped["scope"]["name"]: len(scoped["spans"]) for scoped in first["scopeSpans"]} == {"full": 6, "bare": 1}
    full = next(scoped for scoped in first["scopeSpans"] if scoped["scope"]["name"] == "full")
    assert full["schemaUrl"] == "https://schema/scope"
    assert "schemaUrl" not in second
    assert second["resource"] == {"attributes": [{"key": "service.name", "value": {"stringValue": "other"}}]}
    assert second["scopeSpans"][0]["scope"] == {"name": ""}


def test_equal_scopes_of_several_tracers_are_one_group() -> None:
    resource = Resource({})
    spans = [span_with(resource=resource, instrumentation_scope=InstrumentationScope("lib", "1")) for _ in range(3)]
    (scoped,) = decoded(*spans)["resourceSpans"][0]["scopeSpans"]
    assert len(scoped["spans"]) == 3


def test_types_are_written_as_the_protocol_has_them() -> None:
    assert values(
        {"s": "x", "i": 2**53 + 1, "b": True, "d": 1.5, "whole": 3.0, "tiny": 5e-324, "y": b"\x00\xff", "empty": ""}
    ) == {
        "s": {"stringValue": "x"},
        "i": {"intValue": "9007199254740993"},
        "b": {"boolValue": True},
        "d": {"doubleValue": 1.5},
        "whole": {"doubleValue": 3.0},
        "tiny": {"doubleValue": 5e-324},
        "y": {"bytesValue": "AP8="},
        "empty": {"stringValue": ""},
    }
    raw = only_span(span_with(parent=SpanContext(TRACE, 5, False)))
    assert raw["startTimeUnixNano"] == "1"
    assert raw["kind"] == 1
    assert raw["parentSpanId"] == "0000000000000005"
    assert raw["spanId"] == "00f067aa0ba902b7"
    assert raw["status"] == {"code": 0}


def test_what_is_absent_is_left_out() -> None:
    assert set(only_span(span_with())) == {
        "traceId", "spanId", "flags", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "status",
    }  # fmt: skip


def test_nothing_is_said_of_nulls_and_empty_collections() -> None:
    assert values({"none": None, "list": [], "map": {}, "holes": [None, 1], "only_holes": [None]}) == {
        "holes": {"arrayValue": {"values": [{"intValue": "1"}]}}
    }


def test_numbers_that_json_has_not_are_text() -> None:
    assert values({"n": float("nan"), "i": float("inf"), "m": float("-inf"), "h": 2**63, "l": [float("nan")]}) == {
        "n": {"stringValue": "NaN"},
        "i": {"stringValue": "Infinity"},
        "m": {"stringValue": "-Infinity"},
        "h": {"stringValue": "9223372036854775808"},
        "l": {"arrayValue": {"values": [{"stringValue": "NaN"}]}},
    }


def test_maps_and_mixed_lists_nest() -> None:
    assert values({"m": {"a": 1, "b": {"c": [True, "x", {"d": 1.5}]}, "gone": None}}) == {
        "m": {
            "kvlistValue": {
                "values": [
                    {"key": "a", "value": {"intValue": "1"}},
                    {"key": "b", "value": {"kvlistValue": {"values": [{"key": "c", "value": {"arrayValue": {"values": [
                        {"boolValue": True},
                        {"stringValue": "x"},
                        {"kvlistValue": {"values": [{"key": "d", "value": {"doubleValue": 1.5}}]}},
                    ]}}}]}}},
                ]
            }
        }
    }  # fmt: skip


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Celsius(float):
    def __repr__(self) -> str:
        return f"{float(self)} degrees"


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_kinds_of_str_int_and_float_are_their_values() -> None:
    assert values({"c": Colour.RED, "l": Level.HIGH, "t": Celsius(1.5)}) == {
        "c": {"stringValue": "red"},
        "l": {"intValue": "3"},
        "t": {"doubleValue": 1.5},
    }


def test_a_value_of_an_unknown_type_is_its_text() -> None:
    assert values({"set": {1}, "rude": Rude()}) == {"set": {"stringValue": "{1}"}, "rude": {"stringValue": "<Rude>"}}


def test_lone_surrogates_are_replaced_and_pairs_are_joined() -> None:
    span = span_with({"lone": "a\ud800b", "pair": "\ud83d\ude42", "k\udc00": "v"}, name="n\udfff")
    raw = only_span(span)
    assert raw["name"] == "n\ufffd"
    assert {pair["key"]: pair["value"]["stringValue"] for pair in raw["attributes"]} == {
        "lone": "a\ufffdb",
        "pair": "🙂",
        "k\ufffd": "v",
    }


def test_the_body_has_no_spaces_and_text_beyond_ascii_as_it_is() -> None:
    body = encode_json([span_with({"k": "漢字"})])
    assert "漢字".encode() in body
    assert b'": ' not in body
    assert b", " not in body


def test_no_spans_make_an_empty_request() -> None:
    assert encode_json([]) == b'{"resourceSpans":[]}'


def test_a_span_that_cannot_be_encoded_is_named_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    late = [Event("e", {}, "yesterday")]  # type: ignore[arg-type]  # the point
    broken = span_with(name="broken", events=late, resource=Resource({"service.name": "elsewhere"}))
    with caplog.at_level(logging.WARNING):
        document = decoded(span_with(name="sound"), broken)
    assert [span["name"] for span in spans_in(document)] == ["sound"]
    assert complaints(document) == []
    assert "1 of 2 spans cannot be encoded and are left out: 'broken': ValueError" in caplog.text
