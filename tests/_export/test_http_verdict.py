from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from google.rpc.status_pb2 import Status as RpcStatus
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from receivers import SentrialStandIn
from sentrial._export.encode_json import encode_json
from sentrial._export.send_http import HttpSender, sentrial_sender
from sentrial._export.verdict import Refused, RetryLater, Stored, TooLarge

KEY = "sentrial_live_0123456789"


HTML = b"<html><head><title>x</title></head><body><style>p{}</style><h1>Bad  gateway</h1>\n<p>try &amp; wait</p></body>"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


@pytest.fixture
def sender(server: SentrialStandIn) -> Iterator[HttpSender]:
    with contextlib.closing(sentrial_sender(server.traces_url, KEY, timeout=30)) as ours:
        yield ours


@pytest.fixture
def spans() -> list[ReadableSpan]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    for name in ("first", "second"):
        provider.get_tracer("test").start_span(name, attributes={"k": name}).end()
    provider.shutdown()
    return list(kept.get_finished_spans())


@pytest.fixture
def body(spans: list[ReadableSpan]) -> bytes:
    return encode_json(spans)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Stored()),
        (202, Stored()),
        (204, Stored()),
        (400, Refused("400 Bad Request: the words")),
        (401, Refused("401 Unauthorized: the key was refused; check SENTRIAL_API_KEY: the words")),
        (403, Refused("403 Forbidden: the key was refused; check SENTRIAL_API_KEY: the words")),
        (404, Refused("404 Not Found: the words; is this the address of an OTLP server?")),
        (408, RetryLater("408 Request Timeout: the words")),
        (413, TooLarge("413 Request Entity Too Large: the words")),
        (415, Refused("415 Unsupported Media Type: the words")),
        (429, RetryLater("429 Too Many Requests: the words")),
        (500, RetryLater("500 Internal Server Error: the words")),
        (501, Refused("501 Not Implemented: the words")),
        (502, RetryLater("502 Bad Gateway: the words")),
        (503, RetryLater("503 Service Unavailable: the words")),
        (504, RetryLater("504 Gateway Timeout: the words")),
        (522, RetryLater("522: the words")),
        (599, Refused("599: the words")),
    ],
)
def test_each_status_has_its_verdict(
    server: SentrialStandIn, sender: HttpSender, body: bytes, status: int, verdict: object
) -> None:
    server.respond(status, {"Content-Type": "text/plain"}, b"" if status < 300 else b"the words")
    got = sender.send(body)
    if status == 413 and sys.version_info >= (3, 13):
        verdict = TooLarge("413 Content Too Large: the words")
    assert got == verdict


def test_a_refusal_without_words_is_the_status_alone(server: SentrialStandIn, sender: HttpSender) -> None:
    server.respond(400)
    assert sender.send(b"{}") == Refused("400 Bad Request")


def test_a_redirect_is_named_and_not_followed(body: bytes) -> None:
    with (
        SentrialStandIn([KEY]) as moved,
        SentrialStandIn([KEY]) as other,
        contextlib.closing(sentrial_sender(moved.traces_url, KEY)) as sender,
    ):
        moved.respond(302, {"Location": other.traces_url})
        moved.respond(308, {"Location": "/login"})
        moved.respond(304)
        assert sender.send(body) == Refused(
            f"302 Found: redirects to {other.traces_url}; set the endpoint to that address"
        )
        assert sender.send(body) == Refused(
            "308 Permanent Redirect: redirects to /login; set the endpoint to that address"
        )
        assert sender.send(body) == Refused("304 Not Modified")
        assert other.requests == []
        assert len(moved.requests) == 3


@pytest.mark.parametrize(
    ("reply", "stored"),
    [
        (b"", Stored()),
        (b"{}", Stored()),
        (b" \n", Stored()),
        (b'{"partialSuccess":null}', Stored()),
        (b'{"partialSuccess":{}}', Stored()),
        (b'{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}', Stored(3, "too old")),
        (b'{"partialSuccess":{"rejectedSpans":2,"errorMessage":"too\\nold"}}', Stored(2, "too old")),
        (b'{"partialSuccess":{"errorMessage":"slow down"}}', Stored(0, "slow down")),
        (b'{"partial_success":{"rejected_spans":1,"error_message":"no"}}', Stored(1, "no")),
    ],
)
def test_partial_success_in_json(
    server: SentrialStandIn, sender: HttpSender, body: bytes, reply: bytes, stored: Stored
) -> None:
    server.respond(200, {"Content-Type": "application/json; charset=utf-8"}, reply)
    assert sender.send(body) == stored


def test_partial_success_in_protobuf_answering_json(server: SentrialStandIn, sender: HttpSender, body: bytes) -> None:
    partial = ExportTracePartialSuccess(rejected_spans=4, error_message="no room")
    reply = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    server.respond(200, {"Content-Type": "application/x-protobuf"}, reply)
    server.respond(200, {"Content-Type": "application/x-protobuf"}, b"")
    assert sender.send(body) == Stored(4, "no room")
    assert sender.send(body) == Stored()


@pytest.mark.parametrize("kind", ["text/html", "application/json", "application/x-protobuf"])
def test_a_page_of_html_with_200_is_a_warning(
    server: SentrialStandIn, sender: HttpSender, body: bytes, kind: str
) -> None:
    server.respond(200, {"Content-Type": kind}, HTML)
    got = sender.send(body)
    assert isinstance(got, Stored)
    assert got.rejected == 0
    assert got.words.startswith(f"200 OK, but the reply is not OTLP ({kind}): ")
    assert got.words.endswith("; is this the address of an OTLP server?")


def test_html_is_said_without_its_tags(server: SentrialStandIn, sender: HttpSender, body: bytes) -> None:
    server.respond(502, {"Content-Type": "text/html"}, HTML)
    assert sender.send(body) == RetryLater("502 Bad Gateway: Bad gateway try & wait")


@pytest.mark.parametrize(
    ("kind", "reply", "words"),
    [
        ("application/json", b'{"code":3,"message":"no such field"}', "no such field"),
        ("application/json", b'{"error":{"message":"deep"}}', "deep"),
        ("application/json", b'{"error":"plain"}', "plain"),
        ("application/json", b'{"odd":1}', '{"odd":1}'),
        ("application/json", b"{broken", "{broken"),
        ("application/x-protobuf", RpcStatus(code=3, message="from protobuf").SerializeToString(), "from protobuf"),
        ("text/plain", b"x" * 500, "x" * 297 + "..."),
        ("text/plain", b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_the_servers_words_are_found_in_every_kind_of_body(
    server: SentrialStandIn, sender: HttpSender, body: bytes, kind: str, reply: bytes, words: str
) -> None:
    server.respond(400, {"Content-Type": kind}, reply)
    assert sender.send(body) == Refused(f"400 Bad Request: {words}")


def test_retry_after_in_seconds(server: SentrialStandIn, sender: HttpSender, body: bytes) -> None:
    server.respond(429, {"Retry-After": "7"})
    server.respond(503, {"Retry-After": "-1"})
    server.respond(503, {"Retry-After": "soon"})
    assert sender.send(body) == RetryLater("429 Too Many Requests", 7.0)
    assert sender.send(body) == RetryLater("503 Service Unavailable", 0.0)
    assert sender.send(body) == RetryLater("503 Service Unavailable", None)


def test_retry_after_as_a_date(server: SentrialStandIn, sender: HttpSender, body: bytes) -> None:
    now = datetime.now(timezone.utc)
    server.respond(503, {"Retry-After": format_datetime(now + timedelta(seconds=60), usegmt=True)})
    server.respond(503, {"Retry-After": format_datetime(now - timedelta(seconds=60), usegmt=True)})
    first, second = sender.send(body), sender.send(body)
    assert isinstance(first, RetryLater)
    assert first.after is not None
    assert 50 < first.after <= 60
    assert second == RetryLater("503 Service Unavailable", 0.0)


@pytest.mark.parametrize("status", [200, 400, 413, 503])
def test_a_key_that_the_server_repeats_is_starred_out(server: SentrialStandIn, sender: HttpSender, status: int) -> None:
    server.respond(status, {"Content-Type": "text/plain"}, f"no account for {KEY}!".encode())
    server.respond(status, {"Content-Type": "text/plain"}, b"x" * 290 + KEY.encode())
    words = sender.send(b"{}").words
    assert "no account for ***!" in words
    assert KEY not in words
    assert KEY[:6] not in sender.send(b"{}").words


def test_an_answer_cut_off_after_its_status_counts_by_its_status(
    server: SentrialStandIn, sender: HttpSender, body: bytes
) -> None:
    server.respond(200, {"Content-Length": "100", "Connection": "close"}, b'{"partial')
    server.respond(503, {"Content-Length": "100", "Connection": "close"}, b"busy")
    assert sender.send(body) == Stored()
    assert sender.send(body) == RetryLater("503 Service Unavailable")


def test_of_an_endless_answer_only_the_beginning_is_read(
    server: SentrialStandIn, sender: HttpSender, body: bytes
) -> None:
    server.respond(400, {"Content-Type": "text/plain"}, b"y" * 3_000_000)
    assert sender.send(body) == Refused("400 Bad Request: " + "y" * 297 + "...")
    assert sender.send(body) == Stored()
