"""Pain H7: what is exported to a file equals what goes over the wire, and collectors and the conventions take it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace

import sentrial
from receivers import OtlpHttpReceiver, SentrialStandIn, complaints
from receivers.normal_form import spans_in
from terminal import printed, run

KEY = "sentrial_test_key"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def collector() -> Iterator[OtlpHttpReceiver]:
    with OtlpHttpReceiver() as receiver:
        yield receiver
        sentrial.shutdown(timeout=0.1)


def make_sessions() -> None:
    """Two sessions with all sorts of events, one of them failed."""
    with sentrial.begin("ann", "support-agent", input="Wo ist meine Bestellung? 🙂", convo_id="c1") as session:
        with session.tool("lookup_order", {"id": 1042, "exact": 2**53 + 1, "part": 0.1}) as tool:
            tool.set_output({"items": ["a", None, {"deep": [1, [2]]}], "note": "x" * 3_000})
        with session.llm("gpt-4o", provider="openai", input="hi " * 400) as call:
            call.set_output("ho\x00\u2028")
            call.set_usage(prompt_tokens=2**40, completion_tokens=1, estimated_cost=0.25)
        with session.decision("because", ["a", "b"]) as decision:
            decision.choose("a", confidence=0.9)
        with trace.get_tracer("db", "1.0").start_as_current_span("SELECT") as span:
            span.set_attributes({"many": [1, 2], "flags": [True], "parts": [0.5], "big": -(2**63)})
        session.set_output("Unterwegs.")
    failed = sentrial.begin("bob", "billing-agent")
    failed.track_error("payment failed", error_type="PaymentError")
    failed.finish(success=False, failure_reason="no")


def ordered(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(spans, key=lambda span: str(span["span_id"]))


def exported(path: Path, *arguments: str) -> list[dict[str, Any]]:
    """The documents of an export, one a line."""
    ran = run("sessions", "export", *(arguments or ["--all"]), "--store", path)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
def test_the_file_equals_what_went_over_the_wire_field_by_field(
    path: Path, collector: OtlpHttpReceiver, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    sentrial.configure(otlp_endpoint=collector.url, store=str(path))
    make_sessions()
    assert sentrial.flush(10)
    sent = ordered(collector.spans)
    sentrial.shutdown()
    assert len(sent) == 7
    assert ordered([span for document in exported(path) for span in spans_in(document)]) == sent


def test_ids_are_hex_and_long_numbers_texts(path: Path) -> None:
    sentrial.configure(store=str(path))
    make_sessions()
    sentrial.shutdown()
    documents = exported(path)
    assert [complaints(document) for document in documents] == [[]] * len(documents)
    text = json.dumps(documents)
    assert re.findall(r'"traceId": "(?![0-9a-f]{32}")', text) == []
    assert re.findall(r'"(?:s|parentS)panId": "(?![0-9a-f]{16}")', text) == []
    assert re.findall(r'"(?:intValue|\w+UnixNano)": (?!")', text) == []
    assert f'"intValue": "{2**40}"' in text


def test_the_file_keeps_to_the_conventions(path: Path, shared: Path, tmp_path: Path) -> None:
    sentrial.configure(store=str(path))
    make_sessions()
    sentrial.shutdown()
    file = tmp_path / "sessions.jsonl"
    assert run("sessions", "export", "--all", "-o", file, "--store", path).returncode == 0
    checked = subprocess.run(
        [sys.executable, shared / "semconv" / "check_otlp.py", file], capture_output=True, text=True, timeout=60
    )
    assert checked.returncode == 0, checked.stdout
    assert "0 violations" in checked.stdout


def test_a_file_goes_to_sentrial_as_the_sessions_did(path: Path, tmp_path: Path) -> None:
    with SentrialStandIn([KEY]) as server:
        sentrial.configure(api_key=KEY, api_url=server.url, store=str(path))
        make_sessions()
        assert sentrial.flush(10)
        sentrial.shutdown()
        live = ordered(server.spans)
    file = tmp_path / "sessions.jsonl"
    assert run("sessions", "export", "--all", "-o", file, "--store", path).returncode == 0
    for arguments in (["--file", str(file)], ["--all", "--store", str(path)]):
        with SentrialStandIn([KEY]) as server:
            said = printed("sessions", "send", *arguments, SENTRIAL_API_KEY=KEY, SENTRIAL_API_URL=server.url)
            assert said.endswith(f"7 spans to Sentrial {server.url}\n")
            assert ordered(server.spans) == live


def test_a_file_goes_into_another_store_and_comes_out_the_same(path: Path, tmp_path: Path) -> None:
    sentrial.configure(store=str(path))
    make_sessions()
    sentrial.shutdown()
    file, other = tmp_path / "sessions.jsonl", tmp_path / "other.db"
    assert run("sessions", "export", "--all", "-o", file, "--store", path).returncode == 0
    for _ in range(2):
        assert (
            printed("sessions", "send", "--file", file, "--to", "store", "--store", other)
            == "sent 7 spans to local store\n"
        )
    assert exported(other) == exported(path)
    assert printed("sessions", "list", "--store", other) == printed("sessions", "list", "--store", path)
