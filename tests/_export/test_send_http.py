from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from receivers import OtlpHttpReceiver, SentrialStandIn
from sentrial._export.encode_json import encode_json
from sentrial._export.encode_proto import encode_proto
from sentrial._export.otlp_settings import OtlpSettings
from sentrial._export.send_http import HttpSender, collector_sender, sentrial_sender
from sentrial._export.verdict import Refused, RetryLater, Stored
from sentrial._version import __version__

KEY = "sentrial_live_0123456789"


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


def test_sentrial_stores_what_is_sent(server: SentrialStandIn, sender: HttpSender, body: bytes) -> None:
    assert sender.send(body) == Stored()

    (request,) = server.requests
    assert request.path == "/api/otel/v1/traces"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["user-agent"] == f"sentrial-otel/{__version__}"
    assert "content-encoding" not in request.headers
    assert request.body == body
    assert [span["name"] for span in server.spans_of(KEY)] == ["first", "second"]


def test_batches_share_one_connection(body: bytes) -> None:
    with SentrialStandIn([KEY]) as server, contextlib.closing(sentrial_sender(server.traces_url, KEY)) as sender:
        assert [sender.send(body) for _ in range(3)] == [Stored()] * 3
        assert server.connections == 1


def test_the_stand_in_refuses_other_keys_and_no_key(server: SentrialStandIn, body: bytes) -> None:
    with contextlib.closing(sentrial_sender(server.traces_url, "sentrial_live_wrong")) as sender:
        assert sender.send(body) == Refused(
            "403 Forbidden: the key was refused; check SENTRIAL_API_KEY: unknown API key"
        )
    with contextlib.closing(sentrial_sender(server.traces_url, " ")) as sender:
        assert sender.send(body) == Refused("there is no API key; set SENTRIAL_API_KEY")
    assert len(server.requests) == 1


def test_white_space_around_a_key_is_not_sent(server: SentrialStandIn, body: bytes) -> None:
    with contextlib.closing(sentrial_sender(server.traces_url, f" {KEY}\n")) as sender:
        assert sender.send(body) == Stored()


def test_a_key_with_a_line_break_inside_is_refused_unprinted(server: SentrialStandIn) -> None:
    with contextlib.closing(sentrial_sender(server.traces_url, "abc\ndefghij")) as sender:
        verdict = sender.send(b"{}")
    assert verdict == Refused("a header holds a line break or begins with a space; check SENTRIAL_API_KEY")
    assert server.requests == []


def test_an_address_that_is_no_url_is_refused() -> None:
    with contextlib.closing(sentrial_sender("api.sentrial.com/api/otel/v1/traces", KEY)) as sender:
        assert sender.send(b"{}") == Refused(
            "the address 'api.sentrial.com/api/otel/v1/traces' is no URL; "
            "set SENTRIAL_API_URL to one that begins with http:// or https://"
        )
    with contextlib.closing(sentrial_sender("http://[broken", KEY)) as sender:
        verdict = sender.send(b"{}")
    assert isinstance(verdict, Refused)
    assert verdict.words.startswith("cannot be sent to http://[broken: InvalidURL")


def test_a_server_that_does_not_answer_is_tried_later(server: SentrialStandIn, body: bytes) -> None:
    server.silence()
    with contextlib.closing(sentrial_sender(server.traces_url, KEY, timeout=0.2)) as sender:
        assert sender.send(body) == RetryLater(f"no answer from {server.traces_url} within 0.2 s")
    assert len(server.wait_for_requests(1)) == 1
    server.speak()
    assert len(server.wait_for_spans(2)) == 2


def test_a_slow_answer_within_the_timeout_is_waited_for(
    server: SentrialStandIn, sender: HttpSender, body: bytes
) -> None:
    server.hang(0.3)
    began = time.monotonic()
    assert sender.send(body) == Stored()
    assert time.monotonic() - began >= 0.3


def test_nobody_listening_is_tried_later() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        with contextlib.closing(sentrial_sender(url, KEY)) as sender:
            verdict = sender.send(b"{}")
    assert isinstance(verdict, RetryLater)
    assert verdict.after is None
    assert verdict.words.startswith(f"no answer from {url}: ")
    assert "Connection refused" in verdict.words


def test_a_connection_closed_while_idle_is_opened_again(
    server: SentrialStandIn, sender: HttpSender, body: bytes
) -> None:
    assert sender.send(body) == Stored()
    server.close_connections()
    assert sender.send(body) == Stored()
    assert len(server.requests) == 2


def test_a_kept_connection_that_dies_with_the_request_is_retried_once_at_once(
    server: SentrialStandIn, sender: HttpSender, body: bytes
) -> None:
    assert sender.send(body) == Stored()
    server.drop()
    assert sender.send(body) == Stored()
    assert len(server.requests) == 3

    server.drop(times=2)
    assert isinstance(sender.send(body), RetryLater)
    assert len(server.requests) == 5


def test_a_new_connection_that_dies_is_left_to_the_queue(
    server: SentrialStandIn, sender: HttpSender, body: bytes
) -> None:
    server.drop()
    verdict = sender.send(body)
    assert isinstance(verdict, RetryLater)
    assert "closed connection without response" in verdict.words
    assert len(server.requests) == 1


def test_a_closed_sender_opens_anew(server: SentrialStandIn, body: bytes) -> None:
    sender = sentrial_sender(server.traces_url, KEY)
    assert sender.send(body) == Stored()
    sender.close()
    sender.close()
    assert sender.send(body) == Stored()
    sender.close()


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate"])
def test_a_collector_gets_protobuf_compressed_as_asked(spans: list[ReadableSpan], compression: str) -> None:
    with OtlpHttpReceiver() as receiver:
        settings = OtlpSettings(receiver.traces_url, {"X-Team": "blue"}, compression=compression)
        with contextlib.closing(collector_sender(settings, "application/x-protobuf")) as sender:
            assert sender.send(encode_proto(spans)) == Stored()
    (request,) = receiver.requests
    assert request.headers.get("content-encoding", "none") == compression
    assert request.headers["content-type"] == "application/x-protobuf"
    assert request.headers["x-team"] == "blue"
    assert [span["attributes"] for span in receiver.spans] == [{"k": "first"}, {"k": "second"}]


def test_a_collector_that_refuses_a_key_names_its_variable() -> None:
    with OtlpHttpReceiver() as receiver:
        receiver.respond(401)
        settings = OtlpSettings(receiver.traces_url, {"api-key": "s3cr3t!"})
        with contextlib.closing(collector_sender(settings, "application/x-protobuf")) as sender:
            assert sender.send(b"") == Refused(
                "401 Unauthorized: the key was refused; "
                "check OTEL_EXPORTER_OTLP_HEADERS (or OTEL_EXPORTER_OTLP_TRACES_HEADERS)"
            )


def test_instrumented_requests_make_no_spans_of_our_calls(
    server: SentrialStandIn, sender: HttpSender, body: bytes
) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    instrumentor = RequestsInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        assert sender.send(body) == Stored()
        assert kept.get_finished_spans() == ()
        requests.post(server.traces_url, data=b"", timeout=30).close()
        assert [span.name for span in kept.get_finished_spans()] == ["POST"]
    finally:
        instrumentor.uninstrument()
        provider.shutdown()


def test_a_netrc_does_not_replace_the_key(
    server: SentrialStandIn, sender: HttpSender, body: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert sender.send(body) == Stored()


def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch, spans: list[ReadableSpan]) -> None:
    with OtlpHttpReceiver("http://collector.invalid/v1/traces") as proxy:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        settings = OtlpSettings("http://collector.invalid/v1/traces")
        with contextlib.closing(collector_sender(settings, "application/x-protobuf")) as sender:
            assert sender.send(encode_proto(spans)) == Stored()
    assert len(proxy.spans) == 2


FORK = """
import json, os, sys
from sentrial._export.send_http import sentrial_sender
sender = sentrial_sender(sys.argv[1], sys.argv[2])
body = sys.stdin.buffer.read()
verdicts = [repr(sender.send(body))]
inner, outer = os.pipe()
child = os.fork()
if child == 0:
    os.write(outer, repr(sender.send(body)).encode())
    os._exit(0)
os.waitpid(child, 0)
verdicts += [os.read(inner, 1000).decode(), repr(sender.send(body))]
print(json.dumps(verdicts))
"""


def test_a_forked_child_sends_over_a_connection_of_its_own(server: SentrialStandIn, body: bytes) -> None:
    command = [sys.executable, "-c", FORK, server.traces_url, KEY]
    done = subprocess.run(command, input=body, capture_output=True, timeout=30, check=True)
    assert json.loads(done.stdout) == ["Stored(rejected=0, words='')"] * 3
    assert len(server.requests) == 3
    assert server.connections == 2
