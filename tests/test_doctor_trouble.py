"""What the doctor says of trouble with destinations: each in plain words, with a remedy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import grpc
import pytest

from examined import look, notes, problems
from receivers import OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn, make_certificates

KEY = "sentrial_test_key_0123456789"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


@pytest.fixture
def set_to(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets variables."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_to(**variables: str) -> None:
        for name, text in variables.items():
            monkeypatch.setenv(name, text)

    return set_to


# --- Sentrial --------------------------------------------------------------------------------------------------------

ANSWERS: list[tuple[int, dict[str, str], bytes, str, str, str]] = [
    (401, {}, b'{"error": "who are you?"}', "key-refused", "401 Unauthorized", "correct SENTRIAL_API_KEY (...6789)"),
    (403, {}, b'{"error": "not you"}', "key-refused", "not you", "sessions:write and events:write"),
    (302, {"Location": "https://login.example/"}, b"", "redirect", "https://login.example/", "SENTRIAL_API_URL"),
    (404, {}, b"not here", "wrong-address", "404 Not Found", "such as https://api.sentrial.com"),
    (405, {"Content-Type": "text/html"}, b"<h1>nginx</h1>", "wrong-address", "nginx", "SENTRIAL_API_URL"),
    (200, {"Content-Type": "text/html"}, b"<h1>Welcome</h1>", "wrong-address", "Welcome", "That is not Sentrial's API"),
    (413, {}, b"too large", "too-large", "413", "have its limit raised"),
    (429, {}, b"slowly", "server-busy", "429 Too Many Requests", "try later"),
    (500, {}, b"oops", "server-error", "500 Internal Server Error", "on its side"),
    (503, {"Content-Type": "text/html"}, b"<h1>down</h1>", "server-error", "503 Service Unavailable", "try later"),
    (407, {}, b"", "proxy-in-force", "407", "put them into the proxy variable"),
    (400, {}, b'{"error": "no such field"}', "refused", "no such field", "SENTRIAL_API_URL"),
    (
        200,
        {"Content-Type": "application/json"},
        b'{"partialSuccess":{"rejectedSpans":"1","errorMessage":"quota"}}',
        "partly-rejected",
        "quota",
        "limits",
    ),
]


@pytest.mark.parametrize(("status", "headers", "body", "code", "words", "remedy"), ANSWERS)
def test_what_sentrial_answers_is_told_with_a_remedy(
    server: SentrialStandIn,
    set_to: Any,
    status: int,
    headers: dict[str, str],
    body: bytes,
    code: str,
    words: str,
    remedy: str,
) -> None:
    set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url)
    server.respond(status, headers, body)
    document = look()
    ((said, advice),) = [problems(document)[code]]
    assert said.startswith(f"Sentrial {server.url} ")
    assert words in said
    assert remedy in advice
    (destination,) = document["destinations"]
    assert destination["status"] == str(status)
    assert len(server.requests) == 1  # one try, no more
    assert KEY not in str(document)


def test_outcomes_tell_refused_from_not_now_and_partly(server: SentrialStandIn, set_to: Any) -> None:
    set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url)
    partly = b'{"partialSuccess":{"rejectedSpans":"1","errorMessage":"quota"}}'
    outcomes = []
    for status, body in ((403, b""), (503, b""), (200, partly), (200, b"{}")):
        server.respond(status, {"Content-Type": "application/json"}, body)
        outcomes.append(look()["destinations"][0]["outcome"])
    assert outcomes == ["refused", "not now", "partly stored", "stored"]


def test_a_warning_of_the_servers_is_a_note(server: SentrialStandIn, set_to: Any) -> None:
    set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url)
    server.respond(200, {"Content-Type": "application/json"}, b'{"partialSuccess":{"errorMessage":"slow down"}}')
    document = look()
    assert problems(document) == {}
    assert notes(document) == {"server-warns": f"Sentrial {server.url} warns: slow down"}


def test_a_server_that_hangs_is_given_up_in_time(server: SentrialStandIn, set_to: Any) -> None:
    set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url)
    server.silence()
    began = time.monotonic()
    document = look(timeout=0.5)
    assert time.monotonic() - began < 9  # a sender alone would wait for ten
    words, remedy = problems(document)["timeout"]
    assert words == f"Sentrial {server.url} has not answered in time"
    assert remedy.startswith("It hangs, or a firewall swallows what is sent")
    assert document["destinations"][0]["outcome"] == "no answer"


@pytest.mark.parametrize(("ahead", "words"), [(-3600, "behind"), (3600, "ahead of")])
def test_a_clock_that_is_wrong_is_told_by_the_servers_date(
    server: SentrialStandIn, set_to: Any, monkeypatch: pytest.MonkeyPatch, ahead: int, words: str
) -> None:
    set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url)
    date = formatdate(time.time() - ahead, usegmt=True)
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda _handler: date)
    document = look()
    skew = document["destinations"][0]["clock_ahead_seconds"]
    assert abs(skew - ahead) < 5
    assert f"this machine's clock is {abs(skew):.0f} s {words} that of Sentrial" in problems(document)["clock-skew"][0]


# --- on the way there ------------------------------------------------------------------------------------------------


def test_an_address_where_nothing_listens(set_to: Any) -> None:
    set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL="http://127.0.0.1:1")
    words, remedy = problems(look())["connection-refused"]
    assert "Sentrial http://127.0.0.1:1 cannot be reached: no answer from http://127.0.0.1:1/api" in words
    assert remedy == "Nothing listens there: start the server, or correct SENTRIAL_API_URL."


def test_a_name_that_nobody_knows(set_to: Any) -> None:
    set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL="http://no-such-host.invalid")
    _, remedy = problems(look())["name-unknown"]
    assert remedy.startswith("The name no-such-host.invalid cannot be resolved: correct SENTRIAL_API_URL")


def test_a_certificate_that_nobody_signed(set_to: Any, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    with SentrialStandIn([KEY], tls=certificates) as server:
        set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url)
        assert "let REQUESTS_CA_BUNDLE name the authority's file" in problems(look())["certificate-unknown"][1]
        set_to(REQUESTS_CA_BUNDLE=str(certificates.authority))
        assert problems(look()) == {}


def test_https_where_no_tls_is_spoken_and_http_where_it_is(
    server: SentrialStandIn, set_to: Any, tmp_path: Path
) -> None:
    set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url.replace("http:", "https:"))
    assert "let SENTRIAL_API_URL begin with http://" in problems(look())["not-tls"][1]
    with SentrialStandIn([KEY], tls=make_certificates(tmp_path)) as secure:
        set_to(SENTRIAL_API_URL=secure.url.replace("https:", "http:"))
        assert "perhaps it wants TLS (https://)" in problems(look())["connection-closed"][1]


def test_a_proxy_in_force_is_told_and_blamed_where_it_fails(set_to: Any) -> None:
    with OtlpHttpReceiver(path="http://sentrial.test/api/otel/v1/traces") as proxy:
        set_to(SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL="http://sentrial.test", HTTP_PROXY=proxy.url)
        document = look()
        assert problems(document) == {}
        assert proxy.url in notes(document)["proxy-in-force"]
        assert document["destinations"][0]["proxy"] == proxy.url
    set_to(HTTP_PROXY="http://me:secret@127.0.0.1:1")
    words, remedy = problems(look())["proxy-in-force"]
    assert words.endswith("go through the proxy http://127.0.0.1:1, as the environment says")
    assert remedy == "If they should not, add sentrial.test to NO_PROXY."


# --- collectors ------------------------------------------------------------------------------------------------------


def to_collector(set_to: Any, url: str, protocol: str = "http/protobuf") -> None:
    set_to(OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)


def test_http_at_a_port_of_grpc(set_to: Any) -> None:
    with OtlpGrpcReceiver() as collector:
        to_collector(set_to, collector.url)
        words, remedy = problems(look())["wrong-protocol"]
    assert words.startswith("collector cannot be reached: no answer from http://127.0.0.1")
    assert remedy.startswith("It speaks gRPC, not HTTP: set OTEL_EXPORTER_OTLP_PROTOCOL=grpc")


def test_grpc_at_a_port_of_http(set_to: Any) -> None:
    with OtlpHttpReceiver() as collector:
        to_collector(set_to, collector.url, "grpc")
        remedy = problems(look())["wrong-protocol"][1]
    assert remedy.startswith("It speaks HTTP, not gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")


@pytest.mark.parametrize(("port", "protocol", "other"), [(4317, "http/protobuf", "grpc"), (4318, "grpc", "http")])
def test_the_port_alone_gives_a_wrong_protocol_away(set_to: Any, port: int, protocol: str, other: str) -> None:
    to_collector(set_to, f"http://127.0.0.1:{port}", protocol)
    assert f"OTEL_EXPORTER_OTLP_PROTOCOL={other}" in problems(look())["wrong-protocol"][1]


def test_a_collector_without_that_path_or_encoding(set_to: Any) -> None:
    with OtlpHttpReceiver() as collector:
        to_collector(set_to, f"{collector.url}/otlp")
        remedy = problems(look())["wrong-address"][1]
        assert remedy == (
            "No OTLP is spoken there: let OTEL_EXPORTER_OTLP_ENDPOINT be the address alone, since /v1/traces is added "
            "to it."
        )
        set_to(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector.url)
        assert "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is" in problems(look())["wrong-address"][1]
        collector.respond(415, {}, b"unsupported media type")
        assert "http/protobuf is what every collector takes" in problems(look())["wrong-protocol"][1]


GRPC_FAILURES = [
    (grpc.StatusCode.UNAUTHENTICATED, "key-refused", "refused"),
    (grpc.StatusCode.PERMISSION_DENIED, "key-refused", "refused"),
    (grpc.StatusCode.UNIMPLEMENTED, "not-found", "refused"),
    (grpc.StatusCode.RESOURCE_EXHAUSTED, "refused", "not now"),
    (grpc.StatusCode.INVALID_ARGUMENT, "refused", "refused"),
]


@pytest.mark.parametrize(("status", "code", "outcome"), GRPC_FAILURES)
def test_what_a_collector_answers_over_grpc(set_to: Any, status: grpc.StatusCode, code: str, outcome: str) -> None:
    with OtlpGrpcReceiver() as collector:
        to_collector(set_to, collector.url, "grpc")
        collector.fail(status, "because")
        document = look()
    assert f"{status.name}: because" in problems(document)[code][0]
    (destination,) = document["destinations"]
    assert (destination["status"], destination["outcome"]) == (status.name, outcome)


def test_grpc_on_the_way_there(set_to: Any, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    with OtlpGrpcReceiver(certificates) as secure, OtlpGrpcReceiver() as plain:
        for url, code in (
            ("http://127.0.0.1:1", "connection-refused"),
            ("http://no-such-host.invalid:4317", "name-unknown"),
            (plain.url.replace("http:", "https:"), "not-tls"),
            (secure.url, "certificate-unknown"),
            (secure.url.replace("https:", "http:"), "connection-closed"),
        ):
            to_collector(set_to, url, "grpc")
            assert list(problems(look())) == [code], url
        to_collector(set_to, secure.url, "grpc")
        set_to(OTEL_EXPORTER_OTLP_CERTIFICATE=str(certificates.authority))
        assert problems(look()) == {}


def test_a_collector_that_hangs_over_grpc(set_to: Any) -> None:
    with OtlpGrpcReceiver() as collector:
        to_collector(set_to, collector.url, "grpc")
        set_to(OTEL_EXPORTER_OTLP_TIMEOUT="0.5")
        collector.silence()
        document = look()
    assert "DEADLINE_EXCEEDED" in problems(document)["timeout"][0]
    assert document["destinations"][0]["outcome"] == "no answer"


def test_a_file_that_is_not_there(set_to: Any) -> None:
    to_collector(set_to, "https://127.0.0.1:1")
    set_to(OTEL_EXPORTER_OTLP_CERTIFICATE="/no/such/file.pem")
    assert "'/no/such/file.pem' is not there" in problems(look())["refused"][0]


# --- the store -------------------------------------------------------------------------------------------------------


def test_a_store_that_cannot_be_used(set_to: Any, tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear reader, this is no database, and it is long enough to be told from one." * 10)
    set_to(SENTRIAL_STORE=str(other))
    document = look()
    assert {each["code"] for each in document["findings"] if each["level"] == "problem"} == {"store-unusable"}
    assert document["destinations"][0]["outcome"] == "refused"
    assert other.read_text().startswith("Dear reader")
    set_to(SENTRIAL_STORE=str(other / "sessions.db"))
    assert {each["code"] for each in look(send=False)["findings"]} >= {"store-not-writable"}
