from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status as RpcStatus
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from receivers import Certificates, OtlpGrpcReceiver, Relay, make_certificates
from sentrial._export.encode_proto import encode_proto
from sentrial._export.otlp_settings import OtlpSettings
from sentrial._export.send_grpc import GrpcSender
from sentrial._export.verdict import Refused, RetryLater, Stored, TooLarge
from sentrial._version import __version__

Code = grpc.StatusCode
IN_TWO_SECONDS = RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000))


@pytest.fixture
def receiver() -> Iterator[OtlpGrpcReceiver]:
    with OtlpGrpcReceiver() as server:
        yield server


@pytest.fixture
def sender(receiver: OtlpGrpcReceiver) -> Iterator[GrpcSender]:
    with contextlib.closing(GrpcSender(OtlpSettings(receiver.target, timeout=30))) as ours:
        yield ours


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def body() -> bytes:
    return encode_proto(finished_spans("x"))


def finished_spans(text: str) -> list[ReadableSpan]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    for name in ("first", "second"):
        provider.get_tracer("test").start_span(name, attributes={"k": text}).end()
    provider.shutdown()
    return list(kept.get_finished_spans())


def details_with(info: RetryInfo) -> bytes:
    detail = AnyMessage()
    detail.Pack(info)
    return bytes(RpcStatus(code=14, message="wait", details=[detail]).SerializeToString())


def test_a_collector_stores_what_is_sent(receiver: OtlpGrpcReceiver, body: bytes) -> None:
    settings = OtlpSettings(receiver.target, {"X-Team": "blue", "trace-bin": "\x01é"})
    with contextlib.closing(GrpcSender(settings)) as sender:
        assert [sender.send(body), sender.send(body)] == [Stored(), Stored()]

    request = receiver.requests[0]
    assert request.path == "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    assert request.body == body
    assert request.headers["x-team"] == "blue"
    assert request.headers["trace-bin"] == "\x01é".encode()
    assert request.headers["user-agent"].startswith(f"sentrial-otel/{__version__} ")
    assert [span["name"] for span in receiver.spans] == ["first", "second"] * 2


def test_partial_success(receiver: OtlpGrpcReceiver, sender: GrpcSender, body: bytes) -> None:
    partial = ExportTracePartialSuccess(rejected_spans=4, error_message="no room")
    receiver.respond(ExportTraceServiceResponse(partial_success=partial).SerializeToString())
    assert sender.send(body) == Stored(4, "no room")


HINT = "check OTEL_EXPORTER_OTLP_HEADERS (or OTEL_EXPORTER_OTLP_TRACES_HEADERS)"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (Code.CANCELLED, RetryLater("CANCELLED: the words")),
        (Code.UNKNOWN, Refused("UNKNOWN: the words")),
        (Code.INVALID_ARGUMENT, Refused("INVALID_ARGUMENT: the words")),
        (Code.DEADLINE_EXCEEDED, RetryLater("DEADLINE_EXCEEDED: the words")),
        (Code.NOT_FOUND, Refused("NOT_FOUND: the words")),
        (Code.ALREADY_EXISTS, Refused("ALREADY_EXISTS: the words")),
        (Code.PERMISSION_DENIED, Refused(f"PERMISSION_DENIED: the words; {HINT}")),
        (Code.UNAUTHENTICATED, Refused(f"UNAUTHENTICATED: the words; {HINT}")),
        (Code.RESOURCE_EXHAUSTED, RetryLater("RESOURCE_EXHAUSTED: the words")),
        (Code.FAILED_PRECONDITION, Refused("FAILED_PRECONDITION: the words")),
        (Code.ABORTED, RetryLater("ABORTED: the words")),
        (Code.OUT_OF_RANGE, RetryLater("OUT_OF_RANGE: the words")),
        (Code.UNIMPLEMENTED, Refused("UNIMPLEMENTED: the words")),
        (Code.INTERNAL, Refused("INTERNAL: the words")),
        (Code.UNAVAILABLE, RetryLater("UNAVAILABLE: the words")),
        (Code.DATA_LOSS, RetryLater("DATA_LOSS: the words")),
    ],
)
def test_each_code_has_its_verdict(
    receiver: OtlpGrpcReceiver, sender: GrpcSender, body: bytes, code: Any, verdict: object
) -> None:
    receiver.fail(code, "the words")
    assert sender.send(body) == verdict
    assert receiver.spans == []
    assert sender.send(body) == Stored()


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED])
@pytest.mark.parametrize(
    "metadata",
    [
        {"grpc-status-details-bin": details_with(IN_TWO_SECONDS)},
        {"google.rpc.retryinfo-bin": IN_TWO_SECONDS.SerializeToString()},
    ],
)
def test_the_time_to_wait_is_heard(
    receiver: OtlpGrpcReceiver, sender: GrpcSender, body: bytes, code: Any, metadata: dict[str, bytes]
) -> None:
    receiver.fail(code, "wait", metadata)
    assert sender.send(body) == RetryLater(f"{code.name}: wait", 2.5)


def test_a_garbled_time_to_wait_changes_nothing(receiver: OtlpGrpcReceiver, sender: GrpcSender, body: bytes) -> None:
    receiver.fail(Code.UNAVAILABLE, "wait", {"google.rpc.retryinfo-bin": b"\xff\xff\xff"})
    assert sender.send(body) == RetryLater("UNAVAILABLE: wait", None)


def test_a_batch_beyond_the_servers_limit_is_too_large() -> None:
    with (
        OtlpGrpcReceiver(longest_message=1000) as receiver,
        contextlib.closing(GrpcSender(OtlpSettings(receiver.target))) as sender,
    ):
        verdict = sender.send(encode_proto(finished_spans("x" * 2000)))
        assert isinstance(verdict, TooLarge)
        assert verdict.words.startswith("RESOURCE_EXHAUSTED: ")
        assert "larger than max" in verdict.words
        assert sender.send(encode_proto(finished_spans("x"))) == Stored()


def test_the_words_of_go_collectors_on_size_are_known(
    receiver: OtlpGrpcReceiver, sender: GrpcSender, body: bytes
) -> None:
    words = "grpc: received message after decompression larger than max (5000000 vs. 4194304)"
    receiver.fail(Code.RESOURCE_EXHAUSTED, words)
    receiver.fail(Code.RESOURCE_EXHAUSTED, words, {"google.rpc.retryinfo-bin": IN_TWO_SECONDS.SerializeToString()})
    assert sender.send(body) == TooLarge(f"RESOURCE_EXHAUSTED: {words}")
    assert sender.send(body) == RetryLater(f"RESOURCE_EXHAUSTED: {words}", 2.5)


def test_a_header_that_the_server_repeats_is_starred_out(receiver: OtlpGrpcReceiver, body: bytes) -> None:
    settings = OtlpSettings(receiver.target, {"authorization": "Bearer s3cr3t-token"})
    receiver.fail(Code.UNAUTHENTICATED, "s3cr3t-token is unknown")
    with contextlib.closing(GrpcSender(settings)) as sender:
        assert sender.send(body) == Refused(f"UNAUTHENTICATED: *** is unknown; {HINT}")


@pytest.mark.parametrize("headers", [{"key": "s3cr3t é"}, {"key": "s3cr3t\n"}, {"a key": "s3cr3t"}])
def test_a_header_that_grpc_cannot_carry_is_refused_unprinted(
    receiver: OtlpGrpcReceiver, body: bytes, headers: dict[str, str]
) -> None:
    with contextlib.closing(GrpcSender(OtlpSettings(receiver.target, headers))) as sender:
        (name,) = headers
        assert sender.send(body) == Refused(
            f"the header {name!r} cannot be sent over gRPC, which takes ASCII only; {HINT}"
        )
    assert receiver.requests == []


def test_a_server_that_does_not_answer_is_tried_later(receiver: OtlpGrpcReceiver, body: bytes) -> None:
    receiver.silence()
    with contextlib.closing(GrpcSender(OtlpSettings(receiver.target, timeout=0.3))) as sender:
        assert sender.send(body) == RetryLater("DEADLINE_EXCEEDED: Deadline Exceeded")
        receiver.speak()


def test_closing_breaks_off_a_call_under_way(receiver: OtlpGrpcReceiver, body: bytes) -> None:
    receiver.silence()
    sender = GrpcSender(OtlpSettings(receiver.target, timeout=60))
    verdicts: list[object] = []
    thread = threading.Thread(target=lambda: verdicts.append(sender.send(body)))
    thread.start()
    receiver.wait_for_requests(1)
    sender.close()
    thread.join(10)
    assert not thread.is_alive()
    assert verdicts == [RetryLater("CANCELLED: Channel closed!")]


def test_a_collector_that_comes_back_is_reached_at_once(body: bytes) -> None:
    with OtlpGrpcReceiver() as receiver, contextlib.closing(GrpcSender(OtlpSettings(receiver.target))) as sender:
        assert sender.send(body) == Stored()
        receiver.close()
        for _ in range(3):
            verdict = sender.send(body)
            assert isinstance(verdict, RetryLater)
            assert verdict.words.startswith("UNAVAILABLE: ")
        receiver.start()
        assert sender.send(body) == Stored()


def test_a_closed_sender_opens_anew(receiver: OtlpGrpcReceiver, body: bytes) -> None:
    sender = GrpcSender(OtlpSettings(receiver.target))
    assert sender.send(body) == Stored()
    sender.close()
    sender.close()
    assert sender.send(body) == Stored()
    sender.close()


def test_tls_with_an_authority_of_ones_own(certificates: Certificates, body: bytes) -> None:
    with OtlpGrpcReceiver(certificates) as receiver:
        trusting = OtlpSettings(receiver.target, secure=True, ca_file=str(certificates.authority))
        with contextlib.closing(GrpcSender(trusting)) as sender:
            assert sender.send(body) == Stored()
        with contextlib.closing(GrpcSender(OtlpSettings(receiver.target, secure=True))) as sender:
            verdict = sender.send(body)
    assert isinstance(verdict, RetryLater)
    assert "CERTIFICATE_VERIFY_FAILED" in verdict.words
    assert len(receiver.requests) == 1


def test_a_client_certificate_is_shown(certificates: Certificates, body: bytes) -> None:
    with OtlpGrpcReceiver(certificates, client_certificate=True) as receiver:
        known = OtlpSettings(
            receiver.target,
            secure=True,
            ca_file=str(certificates.authority),
            client_certificate_file=str(certificates.client_certificate),
            client_key_file=str(certificates.client_key),
        )
        with contextlib.closing(GrpcSender(known)) as sender:
            assert sender.send(body) == Stored()
        stranger = OtlpSettings(receiver.target, secure=True, ca_file=str(certificates.authority))
        with contextlib.closing(GrpcSender(stranger)) as sender:
            assert isinstance(sender.send(body), RetryLater)
    assert len(receiver.requests) == 1


def test_a_certificate_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "gone.pem")
    with contextlib.closing(GrpcSender(OtlpSettings("127.0.0.1:1", secure=True, ca_file=path))) as sender:
        assert sender.send(b"") == Refused(
            f"{path!r} is not there; correct OTEL_EXPORTER_OTLP_CERTIFICATE (or OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE)"
        )


def test_tls_towards_a_server_without_it_says_so(receiver: OtlpGrpcReceiver) -> None:
    with contextlib.closing(GrpcSender(OtlpSettings(receiver.target, secure=True))) as sender:
        verdict = sender.send(b"")
    assert isinstance(verdict, RetryLater)
    assert verdict.words.endswith("; it seems to speak without TLS: let the endpoint begin with http://")


def test_gzip_makes_the_bytes_on_the_wire_fewer(receiver: OtlpGrpcReceiver) -> None:
    body = encode_proto(finished_spans("text that repeats " * 5000))
    on_wire = {}
    for compression in ("none", "gzip"):
        with Relay(receiver.port) as relay:
            settings = OtlpSettings(f"127.0.0.1:{relay.port}", compression=compression)
            with contextlib.closing(GrpcSender(settings)) as sender:
                assert sender.send(body) == Stored()
            on_wire[compression] = relay.bytes_sent
    assert len(receiver.spans) == 4
    assert on_wire["none"] > len(body)
    assert on_wire["gzip"] < len(body) // 10


INSTRUMENTED = """
import json, sys
import grpc
from opentelemetry import trace
from opentelemetry.instrumentation.grpc import GrpcInstrumentorClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentrial._export.otlp_settings import OtlpSettings
from sentrial._export.send_grpc import GrpcSender

kept = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(kept))
trace.set_tracer_provider(provider)  # the instrumentation knows no other
GrpcInstrumentorClient().instrument()
sender = GrpcSender(OtlpSettings(sys.argv[1]))
verdict = repr(sender.send(b""))
sender.close()
ours = len(kept.get_finished_spans())
with grpc.insecure_channel(sys.argv[1]) as channel:
    channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")(b"", timeout=30)
print(json.dumps([verdict, ours, len(kept.get_finished_spans())]))
"""


def test_instrumented_grpc_makes_no_spans_of_our_calls(receiver: OtlpGrpcReceiver) -> None:
    command = [sys.executable, "-c", INSTRUMENTED, receiver.target]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    # The last number, of a call that is not ours, shows that the instrumentation is at work.
    assert json.loads(done.stdout) == ["Stored(rejected=0, words='')", 0, 1]


FORK = """
import json, os, sys
from sentrial._export.otlp_settings import OtlpSettings
from sentrial._export.send_grpc import GrpcSender
sender = GrpcSender(OtlpSettings(sys.argv[1]))
body = sys.stdin.buffer.read()
inner, outer = os.pipe()
child = os.fork()
if child == 0:
    os.write(outer, repr(sender.send(body)).encode())
    os._exit(0)
os.waitpid(child, 0)
print(json.dumps([os.read(inner, 1000).decode(), repr(sender.send(body))]))
"""


def test_a_sender_made_before_a_fork_works_in_child_and_parent(receiver: OtlpGrpcReceiver, body: bytes) -> None:
    command = [sys.executable, "-c", FORK, receiver.target]
    done = subprocess.run(command, input=body, capture_output=True, timeout=30, check=True)
    assert json.loads(done.stdout) == ["Stored(rejected=0, words='')"] * 2
    assert len(receiver.requests) == 2
