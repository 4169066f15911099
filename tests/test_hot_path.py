"""What the SDK does on the thread that calls it: nothing that could wait for the world.

The program under test (programs/hot_path.py) listens to the interpreter's audit events and to every function that its
own thread calls, C functions too, while it makes every call of the SDK.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receivers import OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn
from refusing import refusing
from running import run_program

KEY = "sentrial_live_0123456789"
PROGRAM = (Path(__file__).parent / "programs" / "hot_path.py").read_text(encoding="utf-8")
CALLS = {
    "import", "configure", "SentrialClient", "begin", "tool", "tool that fails", "llm", "decision", "track_tool_call",
    "track_decision", "track_llm_call", "track_error", "finish", "create_session", "track by id", "complete_session",
    "flush", "stats", "shutdown", "configure again", "exit",
}  # fmt: skip
SPANS = 2 * (9 + 5)


def run(mode: str, awaits: str = "", **variables: str) -> dict[str, Any]:
    settings = {"HOT_PATH": mode, "HOT_PATH_AWAITS": awaits, "PYTHONDONTWRITEBYTECODE": "1"}
    done = run_program(PROGRAM, {**settings, "SENTRIAL_RETRY_TIMEOUT": "0.1", **variables})
    (report,) = done.printed
    if mode != "control":
        assert set(report["calls"]) == CALLS
    return report


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


@pytest.fixture
def refused() -> Iterator[str]:
    """An address where nobody listens."""
    with refusing() as url:
        yield url


def test_what_must_not_happen_would_be_seen() -> None:
    here = {entry.removeprefix("control: ") for entry in run("control")["here"]}
    assert {"posix.fsync", "sqlite3.connect", "socket.__new__", "socket.connect", "time.sleep"} <= here
    assert any(entry.endswith("to write") for entry in here)
    assert any(entry.endswith(".execute") for entry in here)


def test_with_a_healthy_server(server: SentrialStandIn) -> None:
    report = run("delivered", SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url)
    assert report["here"] == []
    assert {"socket.connect", "sentrial._export.encode_json:encode_json", "genai_prices:calc_price"} <= set(
        report["elsewhere"]
    )
    assert len(server.spans) == SPANS


def test_with_a_silent_server(server: SentrialStandIn) -> None:
    server.silence()
    report = run("quick", "socket.connect", SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url)
    assert report["here"] == []


def test_with_no_server(refused: str) -> None:
    report = run("quick", "socket.connect", SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=refused)
    assert report["here"] == []


def test_with_a_name_that_has_to_be_looked_up() -> None:
    address = "http://no-such-host.invalid:8080"
    report = run("quick", "socket.getaddrinfo", SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=address)
    assert report["here"] == []


def test_with_a_collector_over_http() -> None:
    with OtlpHttpReceiver() as collector:
        report = run("delivered", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        assert len(collector.spans) == SPANS
    assert report["here"] == []
    assert {"socket.connect", "sentrial._export.encode_proto:encode_proto"} <= set(report["elsewhere"])


def test_with_a_collector_over_grpc() -> None:
    with OtlpGrpcReceiver() as collector:
        report = run("delivered", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
        assert len(collector.spans) == SPANS
    assert report["here"] == []
    assert any(entry.startswith("grpc._channel:") for entry in report["elsewhere"])


def test_with_a_collector_over_grpc_that_is_not_there(refused: str) -> None:
    report = run("quick", "grpc._channel:", OTEL_EXPORTER_OTLP_ENDPOINT=refused, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    assert report["here"] == []


def test_with_the_local_store(tmp_path: Path) -> None:
    store = tmp_path / "new folder" / "sessions.db"
    report = run("delivered", SENTRIAL_STORE=str(store))
    assert report["here"] == []
    assert {"sqlite3.connect", "os.mkdir"} <= set(report["elsewhere"])
    assert store.exists()


def test_with_content_on_the_span_and_everything_at_once(server: SentrialStandIn, tmp_path: Path, refused: str) -> None:
    report = run(
        "quick",
        "sqlite3.connect",
        SENTRIAL_API_KEY=KEY,
        SENTRIAL_API_URL=server.url,
        SENTRIAL_STORE=str(tmp_path / "sessions.db"),
        SENTRIAL_CAPTURE_CONTENT="span",
        OTEL_EXPORTER_OTLP_ENDPOINT=refused,
    )
    assert report["here"] == []


def test_switched_off() -> None:
    report = run("quick", SENTRIAL_ENABLED="false", SENTRIAL_API_KEY=KEY)
    assert report["here"] == []
    assert report["elsewhere"] == []
