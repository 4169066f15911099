"""A server that is away, silent, elsewhere or no server of ours, as the user's program sees it.

It ends well and in time, says what is lost in a line or two, counts every span, and other destinations have them all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from receivers import Certificates, OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn, make_certificates
from refusing import refusing
from running import Finished, run_program

KEY = "sentrial_test_key"
SPANS = 40
BOUND = 25
"""Seconds that the program may take on a slow machine: less than the end of it would wait for who is never done."""

IN_TIME = {"SENTRIAL_FLUSH_TIMEOUT": "30", "SENTRIAL_RETRY_TIMEOUT": "3"}
"""For those that have all, and those that are tried again and given up: on a slow machine importing takes its time."""
ALL_OF_IT = {"SENTRIAL_FLUSH_TIMEOUT": "5"}
"""For who does not answer: the end of the program waits so long for him, and the others have it to take theirs."""

# What sending needs is imported at first: that must not take the time in which is tried again.
PROGRAM = """
    import json, requests, sentrial
    for number in range(20):
        with sentrial.begin("u", "agent") as session:
            session.track_tool_call("t", {"n": number}, {})
    sentrial.shutdown()
    print(json.dumps(sentrial.stats()))
"""

PAGE = b"<!doctype html><html><head><title>Welcome</title></head><body><h1>It works</h1></body></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def answers(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Callable[[Any], None]:
    def script(server: Any) -> None:
        server.respond(status, headers or {}, body, times=1_000)

    return script


REDIRECT = {"Location": "http://127.0.0.1:1/elsewhere"}

# What the server does; under which reason the spans are counted; what the last line says; how many lines there are.
FAULTS: dict[str, tuple[Callable[[Any], None], str, str, int]] = {
    **{
        f"redirect {status}": (
            answers(status, REDIRECT), "refused",
            "redirects to http://127.0.0.1:1/elsewhere; set the endpoint to that address", 1,
        )
        for status in (301, 302, 307, 308)
    },
    "page with 200": (answers(200, HTML, PAGE), "stored", "but the reply is not OTLP (text/html): It works;", 1),
    "page with 404": (
        answers(404, HTML, PAGE), "refused", "404 Not Found: It works; is this the address of an OTLP server?", 1
    ),
    "page with 500": (answers(500, HTML, PAGE), "not reachable", "500 Internal Server Error: It works", 2),
    "page with 502": (answers(502, HTML, PAGE), "not reachable", "502 Bad Gateway: It works", 2),
    "too many": (answers(429, {"Retry-After": "3600"}), "not reachable", "429 Too Many Requests", 1),
    "too large": (answers(413), "too large", "413 ", 1),
    "closed before the answer": (lambda server: server.drop(1_000), "not reachable", "no answer from http://127", 2),
    "half an answer": (
        answers(200, {"Content-Length": "1000"}, b'{"partial'), "shut down", "could not be sent in the time that", 1
    ),
    "silence": (lambda server: server.silence(), "shut down", "could not be sent in the time that", 1),
}  # fmt: skip


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


def in_store(path: Path) -> int:
    connection = sqlite3.connect(path)
    (count,) = connection.execute("SELECT count(*) FROM spans").fetchone()
    connection.close()
    return int(count)


def run(store: Path, **variables: str) -> Finished:
    ended = run_program(PROGRAM, {"SENTRIAL_STORE": str(store), **IN_TIME, **variables})
    assert ended.seconds < BOUND
    assert "Traceback" not in ended.err
    assert ended.err.splitlines() == ended.log
    (counts,) = ended.printed
    assert counts.pop("local store") == {"stored": SPANS}
    assert in_store(store) == SPANS
    return ended


def counted(ended: Finished) -> dict[str, dict[str, int]]:
    (counts,) = ended.printed
    return {
        place: {reason: n for reason, n in counts[place].items() if n} for place in counts if place != "local store"
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_sentrials_server(fault: str, tmp_path: Path) -> None:
    script, reason, words, lines = FAULTS[fault]
    with SentrialStandIn([KEY]) as server, OtlpHttpReceiver() as collector:
        script(server)
        ended = run(
            tmp_path / "own.db",
            SENTRIAL_API_KEY=KEY,
            SENTRIAL_API_URL=server.url,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            **(ALL_OF_IT if reason == "shut down" else {}),
        )
        assert counted(ended) == {f"Sentrial {server.url}": {reason: SPANS}, "collector": {"stored": SPANS}}
        assert len(collector.spans) == SPANS
        assert len(ended.log) == lines
        assert all(f"Sentrial {server.url}" in line for line in ended.log)
    assert words in ended.log[-1]


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
@pytest.mark.parametrize("fault", ["redirect 302", "page with 200", "page with 404", "page with 500", "silence"])
def test_a_fault_of_the_collector(fault: str, protocol: str, tmp_path: Path) -> None:
    script, reason, words, lines = FAULTS[fault]
    with SentrialStandIn([KEY]) as server, OtlpHttpReceiver() as collector:
        script(collector)
        ended = run(
            tmp_path / "own.db",
            SENTRIAL_API_KEY=KEY,
            SENTRIAL_API_URL=server.url,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            **(ALL_OF_IT if reason == "shut down" else {}),
        )
        assert counted(ended) == {f"Sentrial {server.url}": {"stored": SPANS}, "collector": {reason: SPANS}}
        assert len(server.spans) == SPANS
        assert len(ended.log) == lines
        assert all(line.startswith("sentrial: ") and "collector" in line for line in ended.log)
    assert words in ended.log[-1]


NOWHERE: dict[str, tuple[Callable[[], AbstractContextManager[str]], str]] = {
    "refused": (refusing, "refused"),
    "no such name": (lambda: nullcontext("http://nowhere.invalid:4318"), "nowhere.invalid"),
}


@pytest.mark.parametrize("why", NOWHERE)
@pytest.mark.parametrize("whose", ["Sentrial", "http/protobuf", "grpc"])
def test_an_address_where_nobody_is(why: str, whose: str, tmp_path: Path) -> None:
    address, words = NOWHERE[why]
    with address() as url, SentrialStandIn([KEY]) as server:
        ended = run(
            tmp_path / "own.db",
            SENTRIAL_API_KEY=KEY,
            SENTRIAL_API_URL=url if whose == "Sentrial" else server.url,
            **(
                {}
                if whose == "Sentrial"
                else {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_PROTOCOL": whose}
            ),
        )
        name = f"Sentrial {url}" if whose == "Sentrial" else "collector"
        counts = counted(ended)
        assert sum(counts.pop(name).values()) == SPANS
        assert list(counts.values()) == ([] if whose == "Sentrial" else [{"stored": SPANS}])
    assert 1 <= len(ended.log) <= 2
    assert all(name in line for line in ended.log)
    assert words in ended.log[0]
    assert "spans for" in ended.log[-1]


@pytest.fixture
def wrong(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[str]:
    """An address where another protocol is spoken than its scheme says, or a certificate shown that nobody knows."""
    if request.param == "unknown certificate":
        with SentrialStandIn([KEY], tls=certificates) as server:
            yield server.url
    elif request.param == "https to http":
        with SentrialStandIn([KEY]) as server:
            yield server.url.replace("http:", "https:")
    elif request.param == "http to https":
        with SentrialStandIn([KEY], tls=certificates) as server:
            yield server.url.replace("https:", "http:")
    else:
        with OtlpGrpcReceiver() as receiver:
            yield receiver.url


@pytest.mark.parametrize(
    "wrong", ["unknown certificate", "https to http", "http to https", "http to grpc"], indirect=True
)
def test_an_address_that_speaks_otherwise(wrong: str, tmp_path: Path) -> None:
    with OtlpHttpReceiver() as collector:
        ended = run(
            tmp_path / "own.db",
            SENTRIAL_API_KEY=KEY,
            SENTRIAL_API_URL=wrong,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        )
        counts = counted(ended)
        assert counts.pop("collector") == {"stored": SPANS}
        (lost,) = counts.values()
        assert sum(lost.values()) == SPANS
        assert "stored" not in lost
    assert 1 <= len(ended.log) <= 2
    assert all(wrong in line for line in ended.log)


def test_grpc_to_a_server_of_web_pages(tmp_path: Path) -> None:
    with SentrialStandIn([KEY]) as server:
        ended = run(
            tmp_path / "own.db",
            SENTRIAL_API_KEY=KEY,
            SENTRIAL_API_URL=server.url,
            OTEL_EXPORTER_OTLP_ENDPOINT=server.url,
            OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
        )
        counts = counted(ended)
        assert counts.pop(f"Sentrial {server.url}") == {"stored": SPANS}
        assert sum(counts.pop("collector").values()) == SPANS
    assert 1 <= len(ended.log) <= 2
    assert all("collector" in line for line in ended.log)
