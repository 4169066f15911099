from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from receivers import OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn
from sentrial._export.collector import collector
from sentrial._export.destination import OtlpDestination
from sentrial._export.send_grpc import GrpcSender
from sentrial._export.send_http import HttpSender
from sentrial._export.sentrial_api import sentrial
from sentrial._export.verdict import Stored, Verdict

KEY = "sentrial_live_0123456789"


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


def set_variables(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)


def test_every_way_out_carries_the_same_tree(
    http: OtlpHttpReceiver, grpc: OtlpGrpcReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    with SentrialStandIn([KEY]) as stand_in:
        assert deliver(sentrial(stand_in.url, KEY), spans) == Stored()
    assert deliver(collector(http.url), spans) == Stored()
    set_variables(monkeypatch, PROTOCOL="http/json")
    assert deliver(collector(http.url), spans) == Stored()
    set_variables(monkeypatch, PROTOCOL="grpc")
    assert deliver(collector(grpc.url), spans) == Stored()

    child, root = stand_in.spans
    assert (child["name"], child["parent_span_id"], child["status_message"]) == ("child", root["span_id"], "broke")
    assert root["events"][0]["attributes"] == {"inf": "Infinity"}
    assert root["resource"] == {"service.name": "agent", "odd": [1.5, 2.0]}
    assert http.spans == [child, root, child, root]
    assert grpc.spans == [child, root]
    assert [request.headers["content-type"] for request in http.requests] == [
        "application/x-protobuf",
        "application/json",
    ]
    for receiver in (stand_in, http, grpc):
        for line in receiver.otlp_json().splitlines():
            (group,) = json.loads(line)["resourceSpans"]
            assert {len(span["traceId"]) for span in group["scopeSpans"][0]["spans"]} == {32}


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [
        ("", "application/x-protobuf"),
        ("http/protobuf", "application/x-protobuf"),
        (" HTTP/JSON ", "application/json"),
    ],
)
def test_the_protocol_is_the_environments_choice(
    http: OtlpHttpReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch, protocol: str, kind: str
) -> None:
    set_variables(monkeypatch, PROTOCOL=protocol, ENDPOINT=http.url)
    assert deliver(collector(), spans) == Stored()
    assert http.requests[0].headers["content-type"] == kind


def test_the_signals_own_protocol_wins(
    grpc: OtlpGrpcReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, PROTOCOL="http/json", TRACES_PROTOCOL="grpc", ENDPOINT=grpc.url)
    assert deliver(collector(), spans) == Stored()
    assert len(grpc.spans) == 2


def test_a_protocol_that_is_none_is_named_with_the_remedy(
    http: OtlpHttpReceiver,
    spans: list[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    set_variables(monkeypatch, PROTOCOL="http", ENDPOINT=http.url)
    assert deliver(collector(), spans) == Stored()
    assert [record.getMessage() for record in caplog.records] == [
        "OTEL_EXPORTER_OTLP_PROTOCOL is 'http'; set it to one of: grpc, http/protobuf, http/json. Using http/protobuf."
    ]
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize("endpoint", ["http://collector:4317", "collector:4317", "https://collector:4317/"])
def test_the_port_of_grpc_means_grpc_unless_a_protocol_is_set(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    assert isinstance(collector(endpoint).sender, GrpcSender)
    set_variables(monkeypatch, ENDPOINT=endpoint)
    assert isinstance(collector().sender, GrpcSender)
    assert isinstance(collector("http://collector:4318").sender, HttpSender)
    set_variables(monkeypatch, PROTOCOL="http/protobuf")
    assert isinstance(collector().sender, HttpSender)


@pytest.mark.parametrize("suffix", ["", "/", "/api/otel/v1/traces", "/api/otel/v1/traces/"])
def test_sentrials_path_is_added_to_its_address(spans: list[ReadableSpan], suffix: str) -> None:
    with SentrialStandIn([KEY]) as stand_in:
        destination = sentrial(stand_in.url + suffix, KEY)
        assert destination.name == f"Sentrial {stand_in.url}"
        assert deliver(destination, spans) == Stored()
    assert stand_in.requests[0].path == "/api/otel/v1/traces"


def test_destinations_are_named_for_people_without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    assert collector("https://me:secret@collector.example/otlp").name == (
        "collector https://collector.example/otlp/v1/traces"
    )
    verdict = deliver(collector("http://me:secret@127.0.0.1:1"), [])
    assert "no answer from http://127.0.0.1:1/v1/traces" in verdict.words
    assert collector().name == "collector http://localhost:4318/v1/traces"
    set_variables(monkeypatch, PROTOCOL="grpc")
    assert collector().name == "collector localhost:4317"


LAZY = """
import json, os, sys
events = []
sys.addaudithook(lambda event, args: events.append(event) if event.startswith("socket.") else None)
from sentrial._export.collector import collector
from sentrial._export.sentrial_api import sentrial
made = [sentrial("https://api.sentrial.com", "key")]
for protocol in ("grpc", "http/protobuf", "http/json"):
    os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol
    made.append(collector("https://127.0.0.1:1"))
for each in made:
    each.close()
heavy = {name.partition(".")[0] for name in sys.modules} & {"grpc", "requests", "urllib3"}
print(json.dumps([sorted(heavy), "google.protobuf" in sys.modules, events]))
"""


def test_making_a_destination_imports_nothing_heavy_and_opens_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, timeout=30, check=True)
    assert json.loads(done.stdout) == [[], False, []]
