"""A span comes out of the local store as it went in, on both of our roads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from fixed_spans import support_agent
from fixed_spans.every_field import every_field
from fixed_spans.rows import TOOL, root, row
from receivers.normal_form import document_of, spans_in
from sentrial import semconv as s
from sentrial._export.encode_json import encode_json
from sentrial._export.local import LocalDestination
from sentrial._export.stored_span import build_spans, read_span
from sentrial._export.verdict import Stored
from sentrial._store.connection import open_for_reading
from sentrial._store.read import list_sessions, read_spans
from sentrial._store.span_row import SpanRow, dump_rows, load_rows


def kept(path: Path, spans: list[ReadableSpan]) -> list[SpanRow]:
    """``spans`` as the store gives them back, in the order in which they began."""
    destination = LocalDestination(path)
    assert destination.send(destination.encode(spans)) == Stored()
    destination.close()
    connection = open_for_reading(path)
    rows = read_spans(connection, None)
    for session in list_sessions(connection):
        rows += read_spans(connection, session.session_id)
    connection.close()
    return rows


def normal(document: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(spans_in(document), key=lambda span: str(span["span_id"]))


@pytest.mark.parametrize("make", [every_field, support_agent])
def test_the_stored_span_is_the_recorded_one_field_by_field(tmp_path: Path, make: Any) -> None:
    spans = list(make())
    again = build_spans(kept(tmp_path / "sessions.db", spans))
    expected = normal(document_of(encode_spans(spans)))
    assert normal(document_of(encode_spans(again))) == expected
    assert normal(json.loads(encode_json(again))) == expected


def test_not_a_letter_of_the_json_differs(tmp_path: Path) -> None:
    spans = every_field()
    again = build_spans(kept(tmp_path / "sessions.db", spans))
    in_order = sorted(spans, key=lambda span: span.start_time or 0)
    assert encode_json(again) == encode_json(in_order)


def test_in_a_session_long_texts_and_lists_come_back_as_they_were(tmp_path: Path) -> None:
    (first, *_) = every_field()
    context = first.get_span_context()
    assert context is not None
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "x" * 400}]}] * 3)
    attributes = {s.SENTRIAL_SESSION_ID: "a-session", s.GEN_AI_INPUT_MESSAGES: messages, "long": "ü" * 900}
    span = ReadableSpan("in a session", context, attributes=attributes, start_time=1, end_time=2)
    (back,) = kept(tmp_path / "sessions.db", [span])
    assert back.attributes == attributes


def test_values_that_newer_versions_know_come_back(tmp_path: Path) -> None:
    attributes = {
        "map": {"bytes": b"\x00\xff", "list": [1, "a", None, {"inner": True}], "map": {}},
        "bytes": [b"a", b""],
        "of our own": {"text": 1},
        "items": {"items": 1, "comma": ","},
        "mapping": {"mapping": {"mapping": 2}},
        "huge": 2**70,
    }
    span = ReadableSpan("odd", SpanContext(1, 2, False), attributes=attributes, start_time=1, end_time=2)
    (back,) = kept(tmp_path / "sessions.db", [span])
    assert back.attributes == {
        "map": {"bytes": b"\x00\xff", "list": (1, "a", None, {"inner": True}), "map": {}},
        "bytes": (b"a", b""),
        "of our own": {"text": 1},
        "items": {"items": 1, "comma": ","},
        "mapping": {"mapping": {"mapping": 2}},
        "huge": 2**70,
    }
    assert encode_json(build_spans([back])) == encode_json([span])


def test_a_span_that_has_not_ended_is_an_open_row() -> None:
    context = SpanContext(1, 2, False)
    span = ReadableSpan("open", context, resource=Resource({}), start_time=7)
    found = read_span(span, context)
    assert (found.is_open, found.start_ns, found.end_ns) == (True, 7, 7)
    assert load_rows(dump_rows([found])) == [found]


def test_spans_of_one_resource_and_scope_share_them() -> None:
    first, second, other = build_spans([root(1), row(1, 2, TOOL), replace(root(2), resource={"service.name": "b"})])
    assert first.resource is second.resource
    assert first.instrumentation_scope is second.instrumentation_scope
    assert other.resource.attributes == {"service.name": "b"}
    groups = json.loads(encode_json([first, second, other]))["resourceSpans"]
    assert [len(group["scopeSpans"][0]["spans"]) for group in groups] == [2, 1]


def test_words_that_the_sdk_does_not_know_become_the_usual_ones() -> None:
    (span,) = build_spans([replace(root(1), kind="UNSPECIFIED", status="SO_SO", status_message="well")])
    assert (span.kind, span.status.status_code, span.status.description) == (SpanKind.INTERNAL, StatusCode.UNSET, None)
