"""The servers that the suite trusts: a stand-in that takes anything would prove nothing."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest
import requests

from receivers import OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn, complaints

SPAN: dict[str, Any] = {
    "traceId": "0af7651916cd43dd8448eb211c80319c",
    "spanId": "00f067aa0ba902b7",
    "name": "x",
    "kind": 1,
    "startTimeUnixNano": "1",
    "endTimeUnixNano": "2",
    "status": {"code": 0},
}


def document_with(**fields: Any) -> dict[str, Any]:
    span = {**SPAN, **fields}
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "s"}, "spans": [span]}]}]}


def post(url: str, document: Any, **headers: str) -> requests.Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    given = {"Content-Type": "application/json", "Authorization": "Bearer k1"}
    given.update({name.replace("_", "-"): value for name, value in headers.items()})
    # An empty value takes a header away.
    return requests.post(url, data=body, headers={name: value or None for name, value in given.items()}, timeout=5)


def test_the_stand_in_is_strict_about_path_type_and_key() -> None:
    with SentrialStandIn(["k1", "k2"]) as server:
        good = document_with()
        assert post(server.traces_url, good).status_code == 200
        assert post(server.traces_url, good, Authorization="", x_sentrial_api_key="k2").status_code == 200
        assert post(server.url + "/v1/traces", good).status_code == 404
        assert post(server.traces_url, good, Content_Type="application/json; charset=utf-8").status_code == 415
        assert post(server.traces_url, b"", Content_Type="application/x-protobuf").status_code == 415
        assert post(server.traces_url, good, Content_Encoding="gzip").status_code == 415
        assert post(server.traces_url, good, Authorization="").status_code == 401
        assert post(server.traces_url, good, Authorization="Bearer k3").status_code == 403
        assert post(server.traces_url, b"{").status_code == 400
        assert post(server.traces_url, document_with(spanId="zz")).status_code == 400
    assert len(server.requests) == 10
    assert len(server.spans) == 2
    assert [len(server.spans_of(key)) for key in ("k1", "k2", "k3")] == [1, 1, 0]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"traceId": SPAN["traceId"].upper()}, "32 lower-case hex digits"),
        ({"traceId": "0" * 32}, "32 lower-case hex digits"),
        ({"spanId": "APBnqgupArc="}, "16 lower-case hex digits"),
        ({"parentSpanId": ""}, "16 lower-case hex digits"),
        ({"kind": "SPAN_KIND_CLIENT"}, "no number from 1 to 5"),
        ({"startTimeUnixNano": 1}, "nanoseconds as text"),
        ({"attributes": []}, "no list with items"),
        ({"attributes": [{"key": "k", "value": {}}]}, "exactly one value"),
        ({"attributes": [{"key": "k", "value": {"arrayValue": {}}}]}, "values is missing"),
        ({"attributes": [{"key": "k", "value": {"intValue": 1}}]}, "64-bit integer as text"),
        ({"attributes": [{"key": "k", "value": {"doubleValue": float("nan")}}]}, "no finite number"),
        ({"attributes": [{"key": "k", "value": {"stringValue": "\ud800"}}]}, "lone surrogate"),
        ({"attributes": None}, "no list with items"),
        ({"start_time": 1}, "is no field"),
        ({"status": {"code": 3}}, "no number from 0 to 2"),
    ],
)
def test_the_strict_reader_complains(fields: dict[str, Any], complaint: str) -> None:
    assert complaints(document_with()) == []
    (found,) = complaints(document_with(**fields))
    assert complaint in found


def test_waiting_for_what_does_not_come_fails_with_what_did() -> None:
    with OtlpHttpReceiver() as server:
        assert post(server.traces_url, document_with()).status_code == 200
        with pytest.raises(AssertionError, match=r"1 of 2 spans after 0.05 s: \['x'\]"):
            server.wait_for_spans(2, timeout=0.05)


def test_what_is_no_trace_is_refused() -> None:
    with OtlpHttpReceiver() as server:
        assert post(server.traces_url, b"\xff", Content_Type="application/x-protobuf").status_code == 400
        assert post(server.traces_url, b"not gzip", Content_Encoding="gzip").status_code == 400
        assert post(server.traces_url, b"x", Content_Type="text/plain").status_code == 415
        assert post(server.url + "/other", b"x").status_code == 404
    assert server.spans == []


def test_a_receiver_closes_while_a_request_hangs() -> None:
    with SentrialStandIn() as server:
        server.silence()
        with pytest.raises(requests.ReadTimeout):
            requests.post(server.traces_url, data=b"", timeout=(30, 0.05))
        server.wait_for_requests(1)
    with OtlpGrpcReceiver() as receiver:
        receiver.hang()
        path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        with grpc.insecure_channel(receiver.target) as channel:
            # A call whose time ran out before there was a connection is never sent.
            grpc.channel_ready_future(channel).result(30)
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(path)(b"", timeout=1)
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        receiver.wait_for_requests(1)
    assert receiver.spans == []
