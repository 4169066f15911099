"""Who gets what: Sentrial, the collector, the local store."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace

import sentrial
from receivers import OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn
from running import arrived, by_name, run_program
from sentrial import SentrialClient
from sentrial._spans import llm
from sentrial._store.connection import open_for_reading
from sentrial._store.read import list_sessions, read_spans
from sentrial.types import LlmRequest, LlmResponse, Usage

KEY = "sentrial_test_key"
ONE_SESSION = {"invoke_agent agent", "execute_tool t", "SELECT"}


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown(timeout=0.1)


@pytest.fixture
def collector() -> Iterator[OtlpHttpReceiver]:
    with OtlpHttpReceiver() as receiver:
        yield receiver
        sentrial.shutdown(timeout=0.1)


@pytest.fixture
def refused_port() -> Iterator[int]:
    """A port of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def default_store() -> Path:
    return Path(os.environ["HOME"]) / ".local" / "share" / "sentrial" / "sessions.db"


def make_a_session() -> str:
    """A session with a tool and a third-party span inside, and a third-party span outside."""
    with sentrial.begin("u", "agent", input="hello") as session:
        session.track_tool_call("t", {"a": 1}, {})
        trace.get_tracer("db").start_span("SELECT").end()
    trace.get_tracer("db").start_span("unrelated").end()
    return session.session_id


def wait_until_stored(name: str, count: int) -> None:
    """A server has a request before its sender has read the answer, and counts it."""
    deadline = time.monotonic() + 30
    while sentrial.stats()[name]["stored"] < count:
        assert time.monotonic() < deadline, sentrial.stats()
        time.sleep(0.01)


def make_a_model_call() -> None:
    """A call of a patched client outside every session."""
    llm.begin(LlmRequest("chat", "openai", "gpt-4o")).succeed(LlmResponse(usage=Usage(input_tokens=1)))


def stored_in(path: Path, session_id: str | None) -> set[str]:
    with contextlib.closing(open_for_reading(path)) as connection:
        return {row.name for row in read_spans(connection, session_id)}


def test_a_key_sends_whole_sessions_to_sentrial_and_nothing_else(
    server: SentrialStandIn, default_store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    make_a_session()
    make_a_model_call()
    assert set(arrived(server)) == ONE_SESSION
    assert sentrial.stats() == {f"Sentrial {server.url}": {"stored": 3}}
    assert not default_store.exists()
    assert caplog.records == []


def test_a_collector_gets_every_span_of_our_provider(
    collector: OtlpHttpReceiver, default_store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sentrial.configure(otlp_endpoint=collector.url)
    make_a_session()
    make_a_model_call()
    assert set(arrived(collector)) == {*ONE_SESSION, "unrelated", "chat gpt-4o"}
    assert sentrial.stats() == {"collector": {"stored": 5}}
    assert not default_store.exists()
    assert caplog.records == []


def test_the_standard_variables_name_the_collector_and_its_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    with OtlpGrpcReceiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        sentrial.configure()
        make_a_session()
        assert set(arrived(receiver)) == {*ONE_SESSION, "unrelated"}
        sentrial.shutdown()


def test_both_get_their_share(server: SentrialStandIn, collector: OtlpHttpReceiver, default_store: Path) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, otlp_endpoint=collector.url)
    make_a_session()
    assert set(arrived(server)) == ONE_SESSION
    assert set(arrived(collector)) == {*ONE_SESSION, "unrelated"}
    assert sentrial.stats() == {f"Sentrial {server.url}": {"stored": 3}, "collector": {"stored": 4}}
    assert not default_store.exists()


@pytest.mark.parametrize("down", ["refused", "silent"])
def test_sentrial_down_does_not_hold_up_the_collector(
    server: SentrialStandIn, collector: OtlpHttpReceiver, refused_port: int, down: str
) -> None:
    server.silence()
    api_url = f"http://127.0.0.1:{refused_port}" if down == "refused" else server.url
    sentrial.configure(api_key=KEY, api_url=api_url, otlp_endpoint=collector.url)
    make_a_session()
    assert not sentrial.flush(0.3)  # Sentrial has not got them
    assert set(by_name(collector.wait_for_spans(4))) == {*ONE_SESSION, "unrelated"}
    wait_until_stored("collector", 4)
    assert sentrial.stats() == {f"Sentrial {api_url}": {"stored": 0}, "collector": {"stored": 4}}
    server.speak()
    if down == "silent":
        assert set(arrived(server)) == ONE_SESSION


@pytest.mark.parametrize("down", ["refused", "silent"])
def test_the_collector_down_does_not_hold_up_sentrial(
    server: SentrialStandIn, collector: OtlpHttpReceiver, refused_port: int, down: str
) -> None:
    collector.silence()
    endpoint = f"http://127.0.0.1:{refused_port}" if down == "refused" else collector.url
    sentrial.configure(api_key=KEY, api_url=server.url, otlp_endpoint=endpoint, retry_timeout=5)
    make_a_session()
    assert not sentrial.flush(0.3)
    assert set(by_name(server.wait_for_spans(3))) == ONE_SESSION
    wait_until_stored(f"Sentrial {server.url}", 3)
    # Refused, it is given up long before the shutdown's time is over; silent, that is waited for.
    sentrial.shutdown(timeout=30 if down == "refused" else 0.2)
    lost = "not reachable" if down == "refused" else "shut down"
    assert sentrial.stats() == {f"Sentrial {server.url}": {"stored": 3}, "collector": {"stored": 0, lost: 4}}


def test_a_shutdown_with_one_of_them_down_delivers_to_the_other(
    server: SentrialStandIn, collector: OtlpHttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    server.silence()
    sentrial.configure(api_key=KEY, api_url=server.url, otlp_endpoint=collector.url, flush_interval=60)
    make_a_session()
    began = time.monotonic()
    sentrial.shutdown(timeout=3)
    assert time.monotonic() - began < 15
    assert set(by_name(collector.spans)) == {*ONE_SESSION, "unrelated"}
    (said,) = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert said.startswith(f"sentrial: 3 spans for Sentrial {server.url} are lost: could not be sent in the time")


def test_without_any_destination_the_local_store_keeps_sessions_and_one_line_says_where(
    default_store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session_id = make_a_session()
    make_a_model_call()
    make_a_session()
    assert sentrial.flush(10)
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (
            logging.WARNING,
            f"sentrial: no Sentrial key and no collector is set, so sessions are kept in {default_store}; "
            "look at them with: sentrial sessions list",
        )
    ]
    assert stored_in(default_store, session_id) == ONE_SESSION
    assert stored_in(default_store, None) == {"chat gpt-4o"}
    with contextlib.closing(open_for_reading(default_store)) as connection:
        assert [summary.agent for summary in list_sessions(connection)] == ["agent", "agent"]
    assert sentrial.stats() == {"local store": {"stored": 7}}


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_without_any_destination_and_with_the_store_off_nothing_is_kept_and_one_line_says_so(
    by: str, default_store: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by == "argument":
        sentrial.configure(store=False)
    else:
        monkeypatch.setenv("SENTRIAL_STORE", "off")
    make_a_session()
    make_a_model_call()
    assert sentrial.flush(10)
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (
            logging.WARNING,
            "sentrial: no Sentrial key and no collector is set, and the local store is off: sessions are not kept",
        )
    ]
    assert sentrial.stats() == {}
    assert not default_store.exists()


def test_with_the_store_off_the_other_destinations_get_what_they_always_get(
    server: SentrialStandIn, collector: OtlpHttpReceiver, default_store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, otlp_endpoint=collector.url, store="off")
    make_a_session()
    make_a_model_call()
    assert set(arrived(server)) == ONE_SESSION
    assert set(arrived(collector)) == {*ONE_SESSION, "unrelated", "chat gpt-4o"}
    assert not default_store.exists()
    assert caplog.records == []


def test_a_store_that_is_switched_off_later_still_gets_what_was_queued_for_it(tmp_path: Path) -> None:
    path = tmp_path / "own.db"
    sentrial.configure(store=path, flush_interval=60)
    before = make_a_session()
    sentrial.configure(store=False)
    after = make_a_session()
    assert sentrial.flush(10)
    assert stored_in(path, before) == ONE_SESSION
    assert stored_in(path, after) == set()


def test_the_line_about_the_store_is_seen_by_a_program_that_sets_up_no_logging(tmp_path: Path) -> None:
    ended = run_program(
        "import sentrial\nfor _ in range(3): sentrial.begin('u', 'agent').finish()", {"HOME": str(tmp_path)}
    )
    assert ended.out == ""
    assert ended.err.splitlines() == [
        "sentrial: no Sentrial key and no collector is set, so sessions are kept in "
        f"{tmp_path}/.local/share/sentrial/sessions.db; look at them with: sentrial sessions list"
    ]


def test_the_store_switched_on_gets_sessions_and_model_calls_as_well(
    server: SentrialStandIn, collector: OtlpHttpReceiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "own.db"
    caplog.set_level(logging.INFO, "sentrial")
    sentrial.configure(api_key=KEY, api_url=server.url, otlp_endpoint=collector.url, store=str(path))
    session_id = make_a_session()
    make_a_model_call()
    assert set(arrived(server)) == ONE_SESSION
    assert set(arrived(collector)) == {*ONE_SESSION, "unrelated", "chat gpt-4o"}
    assert stored_in(path, session_id) == ONE_SESSION
    assert stored_in(path, None) == {"chat gpt-4o"}
    assert [(record.levelno, record.message) for record in caplog.records if "kept in" in record.message] == [
        (logging.INFO, f"sentrial: sessions are kept in {path}; look at them with: sentrial sessions list")
    ]


def test_a_joined_provider_with_the_store_switched_on_stores(tmp_path: Path) -> None:
    from opentelemetry.sdk.trace import TracerProvider

    trace.set_tracer_provider(TracerProvider())
    sentrial.configure(store=tmp_path / "own.db")
    session_id = make_a_session()
    assert sentrial.flush(10)
    assert stored_in(tmp_path / "own.db", session_id) == ONE_SESSION


def test_a_joined_provider_without_a_key_sends_nowhere(
    collector: OtlpHttpReceiver, default_store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own exporters send where the standard variables say; a second sender of ours would double every span."""
    from opentelemetry.sdk.trace import TracerProvider

    trace.set_tracer_provider(TracerProvider())
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    sentrial.configure()
    make_a_session()
    assert sentrial.flush(10)
    assert collector.requests == []
    assert not default_store.exists()
    assert sentrial.stats() == {"collector": {"stored": 0}}
    assert caplog.records == []


def test_another_collector_takes_over_and_the_first_gets_what_was_queued_for_it(collector: OtlpHttpReceiver) -> None:
    with OtlpHttpReceiver() as second:
        sentrial.configure(otlp_endpoint=collector.url, flush_interval=60)
        sentrial.begin("u", "first").finish()
        sentrial.configure(otlp_endpoint=second.url, flush_interval=60)
        sentrial.begin("u", "second").finish()
        assert set(arrived(collector)) == {"invoke_agent first"}
        assert set(by_name(second.spans)) == {"invoke_agent second"}
        assert sentrial.stats() == {"collector": {"stored": 2}}
        sentrial.shutdown()


def test_another_store_takes_over(tmp_path: Path) -> None:
    ids = []
    for name in ("one.db", "two.db"):
        sentrial.configure(store=str(tmp_path / name))
        session = sentrial.begin("u", name)
        session.finish()
        ids.append(session.session_id)
    assert sentrial.flush(10)
    assert stored_in(tmp_path / "one.db", ids[0]) == {"invoke_agent one.db"}
    assert stored_in(tmp_path / "two.db", ids[1]) == {"invoke_agent two.db"}
    assert stored_in(tmp_path / "one.db", ids[1]) == set()


def test_a_client_without_a_key_beside_one_with_a_key_keeps_its_sessions_in_the_store(
    server: SentrialStandIn, default_store: Path
) -> None:
    keyless, keyed = SentrialClient(), SentrialClient(api_key=KEY, api_url=server.url)
    keyless.begin("u", "keyless").finish()
    keyed.begin("u", "keyed").finish()
    make_a_model_call()
    assert set(arrived(server)) == {"invoke_agent keyed"}
    with contextlib.closing(open_for_reading(default_store)) as connection:
        assert [summary.agent for summary in list_sessions(connection)] == ["keyless"]
