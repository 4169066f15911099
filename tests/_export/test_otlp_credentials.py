from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as StockGrpcExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode

from receivers import Certificates, OtlpGrpcReceiver, OtlpHttpReceiver, make_certificates
from sentrial._export.collector import collector
from sentrial._export.destination import OtlpDestination
from sentrial._export.verdict import Refused, RetryLater, Stored, Verdict


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
