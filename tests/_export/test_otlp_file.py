"""Files of OTLP/JSON: what is written is read again, and what somebody has made up is refused with place and reason."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from fixed_spans.every_field import every_field
from fixed_spans.rows import LLM, TOOL, root, row
from receivers.normal_form import spans_in
from sentrial._export import otlp_file
from sentrial._export.encode_json import encode_json
from sentrial._export.otlp_file import FileRefusedError, read_spans, write_spans
from sentrial._export.stored_span import build_spans, read_span
from sentrial._store.span_row import SpanRow

ONE: dict[str, Any] = {
    "traceId": "0af7651916cd43dd8448eb211c80319c",
    "spanId": "00f067aa0ba902b7",
    "name": "one",
    "startTimeUnixNano": "5",
    "endTimeUnixNano": "7",
}


def document(*spans: Any, **group: Any) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}], **group}]}


def read(content: str | bytes | dict[str, Any], **bounds: int) -> list[SpanRow]:
    if isinstance(content, dict):
        content = json.dumps(content)
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return [span for spans in read_spans(stream, **bounds) for span in spans]


def refusal(content: str | bytes | dict[str, Any], **bounds: int) -> str:
    with pytest.raises(FileRefusedError) as refused:
        read(content, **bounds)
    return str(refused.value)


def of_value(value: Any) -> str:
    """What is said of an attribute with ``value``."""
    said = refusal(document({**ONE, "attributes": [{"key": "a", "value": value}]}))
    place = "line 1: resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value"
    assert said.startswith(place)
    return said.removeprefix(place)


# --- what is sound ----------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_again() -> None:
    rows = [read_span(span, span.get_span_context()) for span in every_field()]
    again = read(b"".join(write_spans(rows)))
    assert encode_json(build_spans(again)) == encode_json(build_spans(rows))


def test_a_line_stays_below_what_the_collectors_receiver_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_file, "LINE_BYTES", 4_000)
    rows = [root(1), *(row(1, 2 + place, TOOL, SENTRIAL_REASONING="x" * 700) for place in range(20))]
    rows.append(row(1, 50, LLM, SENTRIAL_REASONING="y" * 9_000))
    lines = list(write_spans(rows))
    assert len(lines) > 5
    assert [len(line) > 4_000 for line in lines].count(True) == 1
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    assert [span.span_id for span in read(b"".join(lines))] == [span.span_id for span in rows]


def test_nothing_is_written_of_nothing() -> None:
    assert list(write_spans([])) == []


def test_one_document_over_several_lines_is_read() -> None:
    assert [span.name for span in read(json.dumps(document(ONE), indent=2))] == ["one"]
    assert [span.name for span in read("\ufeff" + json.dumps(document(ONE), indent=2) + "\n\n")] == ["one"]


def test_empty_lines_and_documents_are_passed_over() -> None:
    line = json.dumps(document(ONE))
    assert len(read(f"{line}\n\n{{}}\n  \n{line}\r\n")) == 2
    assert read("") == []


def test_what_is_absent_or_null_is_as_the_protocol_has_it() -> None:
    bare = {
        "traceId": ONE["traceId"].upper(),
        "spanId": ONE["spanId"],
        "name": None,
        "attributes": None,
        "status": None,
    }
    (span,) = read(document({**bare, "parentSpanId": "", "startTimeUnixNano": 9, "unknown": 1}))
    assert span == SpanRow(ONE["traceId"], ONE["spanId"], None, "unknown", 9, 9, "UNSPECIFIED", "UNSET")


def test_every_kind_of_value_is_read() -> None:
    values = {
        "s": {"stringValue": "x"},
        "b": {"boolValue": False},
        "i": {"intValue": "-9223372036854775808"},
        "j": {"intValue": 7},
        "d": {"doubleValue": 1},
        "n": {"doubleValue": "NaN"},
        "e": {"doubleValue": 1e400},
        "y": {"bytesValue": "/wA="},
        "a": {"arrayValue": {"values": [{"intValue": "1"}, {}, {"kvlistValue": {"values": []}}]}},
        "m": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}},
        "o": {},
        "0": None,
    }
    text = json.dumps(document({**ONE, "attributes": [{"key": k, "value": v} for k, v in values.items()]}))
    (span,) = read(text.replace("Infinity", "1e400"))
    assert span.attributes == {
        "s": "x",
        "b": False,
        "i": -(2**63),
        "j": 7,
        "d": 1.0,
        "n": "NaN",
        "e": "Infinity",
        "y": b"\xff\x00",
        "a": (1, None, {}),
        "m": {"k": "v"},
        "o": None,
        "0": None,
    }
    assert type(span.attributes["d"]) is float


def test_enums_may_be_names() -> None:
    named = {**ONE, "kind": "SPAN_KIND_CLIENT", "status": {"code": "STATUS_CODE_ERROR", "message": "no"}}
    (span,) = read(document(named))
    assert (span.kind, span.status, span.status_message) == ("CLIENT", "ERROR", "no")


def test_half_a_surrogate_pair_is_mended_on_the_way_out() -> None:
    (span,) = read('{"resourceSpans":[{"scopeSpans":[{"spans":[' + json.dumps({**ONE, "name": "a\ud83d"}) + "]}]}]}")
    (line,) = write_spans([span])
    assert spans_in(json.loads(line))[0]["name"] == "a\ufffd"


# --- what is not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b" + b"x" * 99, "the file is compressed with gzip; uncompress it first"),
        (gzip.compress(b"{}"), "the file is compressed with gzip; uncompress it first"),
        (b"\x28\xb5\x2f\xfd", "the file is compressed with zstd; uncompress it first"),
        (b"PK\x03\x04rest", "the file is a zip archive; unpack it first"),
        (json.dumps(document(ONE)).encode("utf-16"), "the file is UTF-16; it must be UTF-8"),
        (b"SQLite format 3\0", "the file is a database, perhaps a local store: name it with --store"),
        (b'{"resourceSpans":\xff', "line 1, byte 18: is not UTF-8"),
        (b"{}\n{}\n\xc3(", "line 3, byte 1: is not UTF-8"),
        (b'{\n "a": "\xff"', "line 2, byte 8: is not UTF-8"),
        ("no json", "line 1, column 1: is no JSON (Expecting value)"),
        ('{"resourceSpans":[', "line 1, column 19: is no JSON (Expecting value)"),
        ('{}\n{"a":}', "line 2, column 6: is no JSON (Expecting value)"),
        ('{\n"a": 1,\n}', "line 3, column 1: is no JSON (Expecting property name enclosed in double quotes)"),
        ("[]", "line 1: must be an object with resourceSpans, not a list"),
        ("null", "line 1: must be an object with resourceSpans, not null"),
        ('"text"', "line 1: must be an object with resourceSpans, not 'text'"),
        ("\0\0\0", "line 1, column 1: is no JSON (Expecting value)"),
        ('{"resourceLogs":[]}', "line 1: holds logs, and no traces"),
        ('{"resourceMetrics":[]}', "line 1: holds metrics, and no traces"),
        ('{"resource_spans":[]}', "line 1: says resource_spans where OTLP/JSON says resourceSpans"),
        ('{"data":1,"more":2}', "line 1: has no resourceSpans, but 'data', 'more'"),
        ('{"resourceSpans":NaN}', "line 1: holds NaN, which is no JSON"),
        ('{"resourceSpans":' + "9" * 5_000 + "}", "line 1: holds a number of 5,000 digits"),
        ('{"resourceSpans":' + "[" * 200_000 + "]" * 200_000 + "}", "line 1: is nested too deeply"),
        ('{"resourceSpans":{}}', "line 1: resourceSpans must be a list, not an object"),
        ('{"resourceSpans":[1]}', "line 1: resourceSpans[0] must be an object, not 1"),
        (
            '{"resourceSpans":[{"scopeSpans":"x"}]}',
            "line 1: resourceSpans[0].scopeSpans must be a list, not 'x'",
        ),
        (
            document(ONE, schemaUrl=5),
            "line 1: resourceSpans[0].schemaUrl must be a text, not 5",
        ),
        (
            document(ONE, resource={"attributes": [{"key": 1}]}),
            "line 1: resourceSpans[0].resource.attributes[0].key must be a text, not 1",
        ),
    ],
)
def test_what_is_no_otlp_json_is_refused_with_place_and_reason(content: Any, words: str) -> None:
    assert refusal(content) == words


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("traceId", None, "must be 32 hex digits, not null"),
        ("traceId", "CvdlGRbNQ92ESOshHIAxnA==", "must be 32 hex digits, not 'CvdlGRbNQ92ESOshHIAxnA=='"),
        ("traceId", "0" * 32, "must not be all zeros"),
        ("spanId", 5, "must be 16 hex digits, not 5"),
        ("spanId", "x" * 500, f"must be 16 hex digits, not {repr('x' * 500)[:40]}..."),
        ("parentSpanId", [], "must be 16 hex digits, not a list"),
        ("parentSpanId", "abc", "must be 16 hex digits, not 'abc'"),
        ("name", {"a": 1}, "must be a text, not an object"),
        ("kind", 6, "must be a number from 0 to 5, not 6"),
        ("kind", True, "must be a number from 0 to 5, not true"),
        ("startTimeUnixNano", "soon", "must be a whole number of 64 bits, not 'soon'"),
        ("startTimeUnixNano", -1, "must be a whole number of 64 bits, not -1"),
        ("endTimeUnixNano", 2**64, f"must be a whole number of 64 bits, not {2**64}"),
        ("endTimeUnixNano", 1.5, "must be a whole number of 64 bits, not 1.5"),
        ("flags", 2**32, f"must be a whole number of 32 bits, not {2**32}"),
        ("droppedEventsCount", "-1", "must be a whole number of 32 bits, not '-1'"),
        ("attributes", {"a": 1}, "must be a list, not an object"),
        ("status", [], "must be an object, not a list"),
        ("traceState", 1, "must be a text, not 1"),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused_by_its_name(field: str, value: Any, words: str) -> None:
    assert refusal(document(ONE, {**ONE, field: value})) == (
        f"line 1: resourceSpans[0].scopeSpans[0].spans[1].{field} {words}"
    )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("status", {"code": 3}, "status.code must be a number from 0 to 2, not 3"),
        ("status", {"message": 3}, "status.message must be a text, not 3"),
        (
            "events",
            [{"name": "a"}, {"timeUnixNano": "x"}],
            "events[1].timeUnixNano must be a whole number of 64 bits, not 'x'",
        ),
        ("links", [{"traceId": ONE["traceId"]}], "links[0].spanId must be 16 hex digits, not null"),
        ("links", [7], "links[0] must be an object, not 7"),
    ],
)
def test_a_part_of_the_wrong_kind_is_refused_by_its_place(field: str, value: Any, words: str) -> None:
    assert refusal(document({**ONE, field: value})) == f"line 1: resourceSpans[0].scopeSpans[0].spans[0].{words}"


def test_a_value_of_the_wrong_kind_is_refused_by_its_place() -> None:
    assert of_value("plain") == " must be an object, not 'plain'"
    assert of_value({"stringValue": 1}) == ".stringValue must be a text, not 1"
    assert of_value({"boolValue": "true"}) == ".boolValue must be true or false, not 'true'"
    assert of_value({"intValue": "1.0"}) == ".intValue must be a whole number of 64 bits, not '1.0'"
    assert of_value({"intValue": str(2**63)}) == f".intValue must be a whole number of 64 bits, not '{2**63}'"
    assert of_value({"intValue": None}) == ".intValue must be a whole number of 64 bits, not null"
    assert of_value({"doubleValue": "fast"}) == ".doubleValue must be a number, not 'fast'"
    assert of_value({"bytesValue": "***"}) == ".bytesValue must be base64, not '***'"
    assert of_value({"stringValue": "a", "intValue": 1}) == " must hold one value, not 2"
    assert of_value({"floatValue": 1}) == " holds no kind of value that is known, but 'floatValue'"
    assert of_value({"arrayValue": []}) == ".arrayValue must be an object, not a list"
    assert of_value({"arrayValue": {"values": [{"intValue": "x"}]}}) == (
        ".arrayValue.values[0].intValue must be a whole number of 64 bits, not 'x'"
    )


def test_a_value_that_is_nested_too_deeply_is_refused() -> None:
    value: dict[str, Any] = {"intValue": 1}
    for _ in range(200):
        value = {"arrayValue": {"values": [value]}}
    assert of_value(value).endswith(" is nested more than 32 levels deep")


def test_a_line_that_is_too_long_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_file, "DOCUMENT_BYTES", 2 * 1024**2)
    assert refusal(b'{"resourceSpans":[' + b"{}," * 1024**2) == "line 1: longer than 2 MiB"
    assert refusal(b"{}\n" + b" " * 3 * 1024**2) == "line 2: longer than 2 MiB"


def test_a_file_that_is_too_large_is_refused_before_its_end() -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def readinto(self, room: Any) -> int:
            self.taken += len(room)
            room[:] = (b"{}\n" * (len(room) // 3 + 1))[: len(room)]
            return len(room)

    source = Endless()
    with pytest.raises(FileRefusedError, match="the file is larger than 1 MiB"):
        list(read_spans(io.BufferedReader(source, 3 * 4096), 1024**2))
    assert source.taken < 2 * 1024**2


def test_a_line_of_nothing_but_empty_things_is_refused_unread() -> None:
    assert refusal(b'{"resourceSpans":[' + b"{}," * 2_000_000 + b"{}]}") == (
        "line 1: holds more than 2,000,000 lists and objects"
    )


@pytest.mark.parametrize("content", [b"{" * 10**6, b"[" * 10**6, b'{"a":' * 10**6, b"\n" * 10**6 + b"{", b'"' * 10**6])
def test_repetition_is_refused_quickly(content: bytes) -> None:
    assert refusal(content).startswith("line ")


def test_the_file_of_a_collector_is_read(tmp_path: Path) -> None:
    # As the collector's file exporter writes it: no spaces, empty fields as it has them.
    line = (
        '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},'
        '"scopeSpans":[{"scope":{},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":'
        '"00f067aa0ba902b7","parentSpanId":"","flags":256,"name":"a","kind":1,"startTimeUnixNano":"1",'
        '"endTimeUnixNano":"2","attributes":[{"key":"n","value":{"intValue":"5"}}],"status":{}}]}],'
        '"schemaUrl":"https://schema"}]}'
    )
    (span,) = read(line)
    assert (span.kind, span.status, span.resource) == ("INTERNAL", "UNSET", {"service.name": "s"})
    assert (span.attributes, span.resource_schema_url, span.has_remote_parent) == ({"n": 5}, "https://schema", False)
