from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as StockGrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as StockHttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from receivers import Certificates, OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn, make_certificates
from sentrial._export.collector import collector
from sentrial._export.destination import OtlpDestination
from sentrial._export.send_grpc import GrpcSender
from sentrial._export.send_http import HttpSender
from sentrial._export.sentrial_api import sentrial
from sentrial._export.verdict import Refused, RetryLater, Stored, Verdict

KEY = "sentrial_live_0123456789"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("OTEL_", "SENTRIAL_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


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


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf", "http/json"])
@pytest.mark.parametrize("prefix", ["", "TRACES_"])
def test_tls_with_a_client_certificate_from_the_environment(
    certificates: Certificates,
    spans: list[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
    prefix: str,
) -> None:
    kind = OtlpGrpcReceiver if protocol == "grpc" else OtlpHttpReceiver
    # requests would let this bundle, in which our authority is not, beat a session's own.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.client_certificate))
    with kind(tls=certificates, client_certificate=True) as receiver:
        set_variables(monkeypatch, PROTOCOL=protocol, ENDPOINT=receiver.url)
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{prefix}CERTIFICATE", str(certificates.authority))
        assert isinstance(deliver(collector(), spans), RetryLater)
        assert receiver.requests == []
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{prefix}CLIENT_CERTIFICATE", str(certificates.client_certificate))
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{prefix}CLIENT_KEY", str(certificates.client_key))
        assert deliver(collector(), spans) == Stored()
    assert len(receiver.spans) == 2


def test_an_authority_that_nobody_knows_is_said(
    certificates: Certificates, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with OtlpHttpReceiver(tls=certificates) as receiver:
        verdict = deliver(collector(receiver.url), spans)
    assert isinstance(verdict, RetryLater)
    assert "CERTIFICATE_VERIFY_FAILED" in verdict.words


@pytest.mark.parametrize(
    ("endpoint", "variables", "secure"),
    [
        ("http://127.0.0.1:{port}", {}, False),
        ("127.0.0.1:{port}", {"INSECURE": "true"}, False),
        ("127.0.0.1:{port}", {"INSECURE": "false", "TRACES_INSECURE": "True"}, False),
        ("127.0.0.1:{port}", {}, True),
        ("https://127.0.0.1:{port}", {"INSECURE": "true"}, True),
        ("http://127.0.0.1:{port}", {"INSECURE": "false"}, True),
    ],
)
def test_grpc_is_secure_where_the_stock_exporter_is(
    certificates: Certificates,
    spans: list[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
    endpoint: str,
    variables: dict[str, str],
    secure: bool,
) -> None:
    with OtlpGrpcReceiver(certificates if secure else None) as receiver:
        set_variables(monkeypatch, PROTOCOL="grpc", ENDPOINT=endpoint.format(port=receiver.port), **variables)
        if secure:
            set_variables(monkeypatch, CERTIFICATE=str(certificates.authority))
        assert deliver(collector(), spans) == Stored()
        export_by_stock(StockGrpcExporter, spans)
    assert len(receiver.spans) == 4


PROVIDER = """
import grpc, requests

def session():
    made = requests.Session()
    made.headers["x-from-provider"] = "yes"
    return made

def channel_credentials():
    with open(AUTHORITY, "rb") as file:
        return grpc.ssl_channel_credentials(file.read())

def nonsense():
    return 42
"""


@pytest.fixture
def credential_providers(tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with credential providers, as the stock exporters look for them."""
    (tmp_path / "providers_of_test.py").write_text(f"AUTHORITY = {str(certificates.authority)!r}\n{PROVIDER}")
    installed = tmp_path / "providers_of_test-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: providers-of-test\nVersion: 1.0\n")
    names = ("session", "channel_credentials", "nonsense")
    (installed / "entry_points.txt").write_text(
        "[opentelemetry_otlp_credential_provider]\n" + "".join(f"{name} = providers_of_test:{name}\n" for name in names)
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("which", ["", "TRACES_"])
@pytest.mark.usefixtures("credential_providers")
def test_a_credential_provider_gives_the_session_for_http(
    http: OtlpHttpReceiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    monkeypatch.setenv(f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{which}CREDENTIAL_PROVIDER", "session")
    assert deliver(collector(http.url), spans) == Stored()
    assert http.requests[0].headers["x-from-provider"] == "yes"


@pytest.mark.usefixtures("credential_providers")
def test_a_credential_provider_gives_the_credentials_for_grpc(
    certificates: Certificates, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_EXPORTER_OTLP_GRPC_CREDENTIAL_PROVIDER", "channel_credentials")
    set_variables(monkeypatch, PROTOCOL="grpc")
    with OtlpGrpcReceiver(certificates) as receiver:
        assert deliver(collector(receiver.url), spans) == Stored()


@pytest.mark.parametrize(
    ("protocol", "name", "words"),
    [
        ("http/protobuf", "absent", "the credential provider 'absent' is not installed (OTEL_PYTHON_EXPORTER_OTLP_*)"),
        ("http/protobuf", "nonsense", "the credential provider 'nonsense' gives no requests.Session but a int"),
        ("grpc", "nonsense", "the credential provider 'nonsense' gives no grpc.ChannelCredentials but a int"),
    ],
)
@pytest.mark.usefixtures("credential_providers")
def test_a_credential_provider_that_gives_none_is_refused_in_words(
    spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch, protocol: str, name: str, words: str
) -> None:
    set_variables(monkeypatch, PROTOCOL=protocol)
    for transport in ("HTTP", "GRPC"):
        monkeypatch.setenv(f"OTEL_PYTHON_EXPORTER_OTLP_{transport}_CREDENTIAL_PROVIDER", name)
    assert deliver(collector("https://127.0.0.1:1"), spans) == Refused(words)


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
print(json.dumps([sorted(heavy), "google.protobuf" in sys.modules, "opentelemetry.sdk" in sys.modules, events]))
"""


def test_making_a_destination_imports_nothing_heavy_and_opens_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, timeout=30, check=True)
    assert json.loads(done.stdout) == [[], False, False, []]
