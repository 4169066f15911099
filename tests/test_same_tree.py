"""One program, four ways out: Sentrial, a collector over HTTP and over gRPC, the local store hold the same tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from fake_provider import FakeProvider
from receivers import OtlpGrpcReceiver, OtlpHttpReceiver, SentrialStandIn
from sentrial._store.connection import open_for_reading
from sentrial._store.read import list_sessions, read_spans
from sentrial._store.span_row import SpanRow

PROGRAM = Path(__file__).parent / "programs" / "agent_session.py"
KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
STATUSES = {"UNSET": 0, "OK": 1, "ERROR": 2}
SPANS = 9


def run(model_url: str, **environment: str) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    result = subprocess.run(
        [sys.executable, "-W", "error", str(PROGRAM)],
        env={**kept, "MODEL_URL": model_url, "SENTRIAL_FLUSH_TIMEOUT": "30", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_all_destinations_hold_the_same_tree(tmp_path: Path) -> None:
    store = tmp_path / "sessions.db"
    with (
        FakeProvider() as model,
        SentrialStandIn(keys={"key_a"}) as sentrial,
        OtlpHttpReceiver() as http,
        OtlpGrpcReceiver() as grpc,
    ):
        run(
            model.base_url,
            SENTRIAL_API_KEY="key_a",
            SENTRIAL_API_URL=sentrial.url,
            OTEL_EXPORTER_OTLP_ENDPOINT=http.url,
            SENTRIAL_STORE=str(store),
        )
        run(model.base_url, OTEL_EXPORTER_OTLP_ENDPOINT=grpc.url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
        trees = {
            "sentrial": tree(sentrial.wait_for_spans(SPANS)),
            "http": tree(http.wait_for_spans(SPANS)),
            "grpc": tree(grpc.wait_for_spans(SPANS)),
            "store": tree(from_store(store)),
        }
    assert [span["name"] for span in trees["sentrial"]] == [
        "invoke_agent support-agent",
        "decision support-agent",
        "chat gpt-4o",
        "execute_tool look_up",
        "SELECT parcels",
        "invoke_agent translator",
        "chat gpt-4o",
        "execute_tool notify",
        "error",
    ]
    assert [span["parent"] for span in trees["sentrial"]] == [None, 0, 1, 0, 3, 0, 5, 0, 0]
    for name in ("http", "grpc", "store"):
        assert trees[name] == trees["sentrial"], name


# --- the stated normalisation --------------------------------------------------------------------------------------
# Spans are put in the order in which they started, and known by their place in it; times are left out beyond that
# order, as are the few values that differ from run to run. Null and empty values count as absent (see receivers).

DIFFERS_BY_RUN = {"gen_ai.response.time_to_first_chunk", "server.port", "gen_ai.response.id"}


def tree(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert len(spans) == SPANS
    ordered = sorted(spans, key=lambda span: (span["start_ns"], -span["end_ns"]))
    places = {span["span_id"]: place for place, span in enumerate(ordered)}
    assert len({span["trace_id"] for span in ordered}) == 1
    session_id = f"{ordered[0]['trace_id']}-{ordered[0]['span_id']}"

    def plain(attributes: dict[str, Any]) -> dict[str, Any]:
        return {
            key: "(the session)" if value == session_id else list(value) if isinstance(value, tuple) else value
            for key, value in attributes.items()
            if key not in DIFFERS_BY_RUN and not (key == "sentrial.event_id" and value != "evt-12345678")
            and not (key == "sentrial.session.name" and value.startswith("translator:"))
        }  # fmt: skip

    return [
        {
            "name": span["name"],
            "kind": span["kind"],
            "parent": places[span["parent_span_id"]] if span["parent_span_id"] else None,
            "status": (span["status_code"], span["status_message"]),
            "attributes": plain(span["attributes"]),
            "events": [(event["name"], plain(event["attributes"])) for event in span["events"]],
            "links": [(places[link["span_id"]], plain(link["attributes"])) for link in span["links"]],
            "resource": {key: value for key, value in span["resource"].items() if key != "service.instance.id"},
            "scope": (span["scope_name"], span["scope_version"]),
            "took_time": span["end_ns"] > span["start_ns"],
        }
        for span in ordered
    ]


def from_store(path: Path) -> list[dict[str, Any]]:
    with closing(open_for_reading(path)) as connection:
        (session,) = list_sessions(connection)
        return [as_received(row) for row in read_spans(connection, session.session_id)]


def as_received(row: SpanRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "span_id": row.span_id,
        "trace_id": row.trace_id,
        "parent_span_id": row.parent_span_id,
        "kind": KINDS[row.kind],
        "start_ns": row.start_ns,
        "end_ns": row.end_ns,
        "status_code": STATUSES[row.status],
        "status_message": row.status_message or "",
        "attributes": dict(row.attributes),
        "events": [{"name": event.name, "attributes": dict(event.attributes)} for event in row.events],
        "links": [{"span_id": link.span_id, "attributes": dict(link.attributes)} for link in row.links],
        "resource": dict(row.resource),
        "scope_name": row.scope_name,
        "scope_version": row.scope_version,
    }


def test_what_is_exported_has_no_violation_of_the_conventions(shared: Path, tmp_path: Path) -> None:
    with FakeProvider() as model, SentrialStandIn(keys={"key_a"}) as sentrial, OtlpHttpReceiver() as http:
        run(
            model.base_url,
            SENTRIAL_API_KEY="key_a",
            SENTRIAL_API_URL=sentrial.url,
            OTEL_EXPORTER_OTLP_ENDPOINT=http.url,
        )
        sentrial.wait_for_spans(SPANS)
        http.wait_for_spans(SPANS)
        for name, lines in (("sentrial", sentrial.otlp_json()), ("collector", http.otlp_json())):
            file = tmp_path / f"{name}.jsonl"
            file.write_text(lines, encoding="utf-8")
            check = subprocess.run(
                [sys.executable, str(shared / "semconv" / "check_otlp.py"), "--json", "--min-spans", "6", str(file)],
                capture_output=True,
                text=True,
                check=False,
            )
            result = json.loads(check.stdout)
            violations = [finding for finding in result["findings"] if finding["level"] == "violation"]
            assert (violations, check.returncode) == ([], 0)
