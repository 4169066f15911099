from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as StockGrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as StockHttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from receivers import OtlpGrpcReceiver, OtlpHttpReceiver
from sentrial._export.collector import collector
from sentrial._export.destination import OtlpDestination
from sentrial._export.verdict import Refused, RetryLater, Stored, Verdict


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("OTEL_", "SENTRIAL_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def spans() -> list[ReadableSpan]:
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "agent", "odd": [1.5, 2.0]}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("lib", "1.0", attributes={"scope": True})
    link = Link(SpanContext(5, 6, True), {"why": "seen before"})
    with tracer.start_as_current_span("root", links=[link], attributes={"n": 2**60, "tags": ["a", "漢"]}) as root:
        root.add_event("happened", {"inf": float("inf"), "none": []})
        with tracer.start_as_current_span("child") as child:
            child.set_status(Status(StatusCode.ERROR, "broke"))
    provider.shutdown()
    return list(kept.get_finished_spans())


@pytest.fixture
def http() -> Iterator[OtlpHttpReceiver]:
    with OtlpHttpReceiver() as receiver:
        yield receiver


@pytest.fixture
def grpc() -> Iterator[OtlpGrpcReceiver]:
    with OtlpGrpcReceiver() as receiver:
        yield receiver


def deliver(destination: OtlpDestination, spans: list[ReadableSpan]) -> Verdict:
    with contextlib.closing(destination):
        return destination.send(destination.encode(spans))


def export_by_stock(kind: type[SpanExporter], spans: list[ReadableSpan]) -> None:
    exporter = kind()
    exporter.export(spans)
    exporter.shutdown()


def set_variables(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({"ENDPOINT": "{url}"}, "/v1/traces"),
        ({"ENDPOINT": "{url}/"}, "/v1/traces"),
        ({"ENDPOINT": "{url}/base"}, "/base/v1/traces"),
        ({"TRACES_ENDPOINT": "{url}/whole"}, "/whole"),
        ({"TRACES_ENDPOINT": "{url}/whole/"}, "/whole/"),
        ({"ENDPOINT": "{url}/base", "TRACES_ENDPOINT": "{url}/whole"}, "/whole"),
    ],
)
def test_paths_follow_the_rules_of_the_stock_exporter(
    spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], path: str
) -> None:
    with OtlpHttpReceiver(path) as receiver:
        set_variables(monkeypatch, **{name: value.format(url=receiver.url) for name, value in variables.items()})
        assert deliver(collector(), spans) == Stored()
        export_by_stock(StockHttpExporter, spans)
    assert [request.path for request in receiver.requests] == [path, path]
    assert receiver.requests[0].body == receiver.requests[1].body


@pytest.mark.parametrize("suffix", ["", "/", "/v1/traces", "/v1/traces/"])
def test_an_endpoint_given_in_code_is_a_base_and_beats_the_environment(
    http: OtlpHttpReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    set_variables(monkeypatch, ENDPOINT="http://127.0.0.1:1", TRACES_ENDPOINT="http://127.0.0.1:1")
    assert deliver(collector(http.url + suffix), spans) == Stored()
    assert http.requests[0].path == "/v1/traces"


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate"])
def test_over_http_headers_and_compression_are_those_of_the_stock_exporter(
    http: OtlpHttpReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch, compression: str
) -> None:
    headers = "Authorization=Bearer%20abc%3Ddef, X-Team = blue,x-spaced=a b"
    set_variables(monkeypatch, ENDPOINT=http.url, COMPRESSION=compression, HEADERS=headers)
    assert deliver(collector(), spans) == Stored()
    export_by_stock(StockHttpExporter, spans)

    names = ("authorization", "x-team", "x-spaced", "content-type", "content-encoding")
    ours, theirs = ([request.headers.get(name) for name in names] for request in http.requests)
    assert ours == [
        "Bearer abc=def",
        "blue",
        "a b",
        "application/x-protobuf",
        {"none": None}.get(compression, compression),
    ]
    assert ours == theirs
    assert len(http.spans) == 4


def test_a_header_beyond_latin_1_is_sent_in_utf_8(
    http: OtlpHttpReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, ENDPOINT=http.url, HEADERS="team=%E6%BC%A2")
    assert deliver(collector(), spans) == Stored()
    assert http.requests[0].headers["team"].encode("latin-1").decode() == "漢"


def test_the_signals_own_headers_and_compression_win(
    http: OtlpHttpReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(
        monkeypatch, ENDPOINT=http.url, HEADERS="a=general,b=general", TRACES_HEADERS="a=own",
        COMPRESSION="deflate", TRACES_COMPRESSION="gzip",
    )  # fmt: skip
    assert deliver(collector(), spans) == Stored()
    headers = http.requests[0].headers
    assert (headers["a"], headers.get("b"), headers["content-encoding"]) == ("own", None, "gzip")


def test_headers_may_replace_the_agents_name_and_the_type(
    http: OtlpHttpReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, ENDPOINT=http.url, HEADERS="User-Agent=mine")
    assert deliver(collector(), spans) == Stored()
    assert http.requests[0].headers["user-agent"] == "mine"


def test_over_grpc_headers_are_those_of_the_stock_exporter(
    grpc: OtlpGrpcReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(
        monkeypatch, PROTOCOL="grpc", ENDPOINT=f"{grpc.url}/ignored", COMPRESSION="gzip",
        HEADERS="a=general", TRACES_HEADERS="Authorization=Bearer%20abc%3Ddef, X-Team = blue",
    )  # fmt: skip
    assert deliver(collector(), spans) == Stored()
    export_by_stock(StockGrpcExporter, spans)
    ours, theirs = grpc.requests
    assert ours.body == theirs.body
    assert ours.headers["authorization"] == "Bearer abc=def"
    mine = {name: value for name, value in ours.headers.items() if name != "user-agent"}
    assert mine == {name: value for name, value in theirs.headers.items() if name != "user-agent"}


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
@pytest.mark.parametrize("variables", [{"TIMEOUT": "0.2"}, {"TIMEOUT": "60", "TRACES_TIMEOUT": "0.2"}])
def test_the_timeout_is_in_seconds(
    http: OtlpHttpReceiver,
    grpc: OtlpGrpcReceiver,
    spans: list[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
    variables: dict[str, str],
) -> None:
    receiver: OtlpHttpReceiver | OtlpGrpcReceiver = grpc if protocol == "grpc" else http
    receiver.silence()
    set_variables(monkeypatch, PROTOCOL=protocol, ENDPOINT=receiver.url, **variables)
    verdict = deliver(collector(), spans)
    assert verdict == (
        RetryLater("DEADLINE_EXCEEDED: Deadline Exceeded")
        if protocol == "grpc"
        else RetryLater(f"no answer from {http.traces_url} within 0.2 s")
    )


@pytest.mark.parametrize("value", ["10s", "-1", "nan", "inf", "0"])
def test_a_timeout_that_is_none_is_named_and_the_default_taken(
    http: OtlpHttpReceiver,
    spans: list[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    value: str,
) -> None:
    set_variables(monkeypatch, ENDPOINT=http.url, TIMEOUT=value)
    assert deliver(collector(), spans) == Stored()
    assert [record.getMessage() for record in caplog.records] == [
        f"OTEL_EXPORTER_OTLP_TIMEOUT is {value!r}; write a number of seconds. Using 10."
    ]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"COMPRESSION": "snappy"},
            "OTEL_EXPORTER_OTLP_COMPRESSION (or OTEL_EXPORTER_OTLP_TRACES_COMPRESSION) is 'snappy'; "
            "over http it may be one of: none, gzip, deflate",
        ),
        (
            {"COMPRESSION": "deflate", "PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_COMPRESSION (or OTEL_EXPORTER_OTLP_TRACES_COMPRESSION) is 'deflate'; "
            "over grpc it may be one of: none, gzip",
        ),
        (
            {"CLIENT_CERTIFICATE": "/nowhere/client.pem"},
            "'/nowhere/client.pem' is not there; "
            "correct OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE (or OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE)",
        ),
        (
            {"ENDPOINT": "localhost:4318"},
            "the collector's endpoint 'localhost:4318/v1/traces' is no URL; begin it with http:// or https://",
        ),
        (
            {"ENDPOINT": "http://[::1", "PROTOCOL": "grpc"},
            "the collector's endpoint 'http://[::1' is neither a URL nor host:port",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    set_variables(monkeypatch, **variables)
    assert deliver(collector(), spans) == Refused(words)


def test_a_port_that_is_no_number_is_refused_in_words(spans: list[ReadableSpan]) -> None:
    verdict = deliver(collector("http://collector:port"), spans)
    assert isinstance(verdict, Refused)
    assert verdict.words.startswith("cannot be sent to http://collector:port/v1/traces: InvalidURL")


def test_compression_none_is_none_over_grpc(
    grpc: OtlpGrpcReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, PROTOCOL="grpc", ENDPOINT=grpc.url, COMPRESSION="none")
    assert deliver(collector(), spans) == Stored()
