"""The span processor of the old SDK: traces without a session of ours become sessions at Sentrial."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import format_span_id

import sentrial
from dialects import AI, DIALECTS, delivered, provider_with, write_ladder
from receivers import OtlpHttpReceiver, SentrialStandIn
from sentrial import _setup
from sentrial.otel import SentrialSpanProcessor, setup_otel_tracing

KEY, OTHER = "sentrial_test_key", "sentrial_other_key"
AGENT = {"gen_ai.operation.name": "invoke_agent"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY, OTHER]) as stand_in:
        monkeypatch.setenv("SENTRIAL_API_URL", stand_in.url)
        yield stand_in
        sentrial.shutdown(timeout=0.1)


# --- which spans -----------------------------------------------------------------------------------------------------


def test_parents_that_are_left_out_are_passed_over(server: SentrialStandIn) -> None:
    provider = provider_with(SentrialSpanProcessor(KEY))
    write_ladder(provider)
    spans = delivered(provider, server)
    assert set(spans) == {"agent", "call"}
    assert spans["agent"]["parent_span_id"] is None
    assert spans["call"]["parent_span_id"] == spans["agent"]["span_id"]


def test_without_the_filter_all_spans_are_sent_as_they_hang_together(server: SentrialStandIn) -> None:
    provider = provider_with(SentrialSpanProcessor(KEY, filter_ai_spans=False))
    write_ladder(provider)
    spans = delivered(provider, server)
    order = ["POST /chat", "agent", "business", "SELECT", "call"]
    parents = [None, *(spans[name]["span_id"] for name in order[:-1])]
    assert [spans[name]["parent_span_id"] for name in order] == parents


def test_the_applications_filter_comes_first_and_none_leaves_it_to_ours(server: SentrialStandIn) -> None:
    seen = []

    def opinion(span: Any) -> bool | None:
        seen.append((span.name, span.end_time is not None))
        return {"business": True, "agent": False}.get(span.name)

    provider = provider_with(SentrialSpanProcessor(KEY, custom_filter=opinion))
    write_ladder(provider)
    spans = delivered(provider, server)
    assert set(spans) == {"business", "call"}
    assert spans["business"]["parent_span_id"] is None
    assert spans["call"]["parent_span_id"] == spans["business"]["span_id"]
    # Asked once of each, and when all is known.
    assert seen == [(name, True) for name in ("call", "SELECT", "business", "agent", "POST /chat")]


def test_a_filter_that_fails_costs_nothing_and_is_said_once(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(span: Any) -> bool:
        raise KeyError("tier")

    provider = provider_with(SentrialSpanProcessor(KEY, custom_filter=broken))
    write_ladder(provider)
    assert set(delivered(provider, server)) == {"agent", "call"}
    assert [record.message for record in caplog.records if record.name == "sentrial"] == [
        "sentrial: the custom_filter of a SentrialSpanProcessor failed (KeyError: 'tier'); where it fails, "
        "filter_ai_spans decides."
    ]


def test_a_flush_in_the_middle_waits_for_no_parent(server: SentrialStandIn) -> None:
    provider = provider_with(SentrialSpanProcessor(KEY))
    tracer = provider.get_tracer("app")
    with (
        tracer.start_as_current_span("POST /chat"),
        tracer.start_as_current_span("agent", attributes=AI),
        tracer.start_as_current_span("late"),
    ):
        tracer.start_span("call", attributes=AI).end()
        (call,) = delivered(provider, server).values()
        trace.get_current_span().set_attributes(AI)
    spans = delivered(provider, server)
    assert set(spans) == {"agent", "late", "call"}
    # What was promised is kept: the agent ran still, and is there.
    assert call["parent_span_id"] == spans["agent"]["span_id"] == spans["late"]["parent_span_id"]


def test_a_remote_parent_is_none_at_sentrial(server: SentrialStandIn) -> None:
    from opentelemetry.propagate import extract

    provider = provider_with(SentrialSpanProcessor(KEY))
    carrier = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    provider.get_tracer("app").start_span("call", extract(carrier), attributes=AI).end()
    (call,) = delivered(provider, server).values()
    assert (call["trace_id"], call["parent_span_id"]) == ("0af7651916cd43dd8448eb211c80319c", None)


# --- what is added -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_the_project_is_the_agents_name_where_the_trace_says_none(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "variable":
        monkeypatch.setenv("SENTRIAL_PROJECT", "parcels")
    provider = provider_with(SentrialSpanProcessor(KEY, project="parcels" if how == "argument" else None))
    tracer = provider.get_tracer("app")
    with tracer.start_as_current_span("unnamed", attributes=AGENT):
        tracer.start_span("call", attributes=AI).end()
    tracer.start_span("named", attributes={**AGENT, "gen_ai.agent.name": "refunds"}).end()
    tracer.start_span("lone call", attributes={"gen_ai.operation.name": "chat"}).end()
    spans = delivered(provider, server)
    assert {name: span["attributes"] for name, span in spans.items()} == {
        "unnamed": {**AGENT, "gen_ai.agent.name": "parcels", "sentrial.project": "parcels"},
        "call": AI,
        "named": {**AGENT, "gen_ai.agent.name": "refunds", "sentrial.project": "parcels"},
        # The conventions allow no agent's name there.
        "lone call": {"gen_ai.operation.name": "chat", "sentrial.project": "parcels"},
    }
    assert {span["resource"]["service.name"] for span in spans.values()} == {"parcels"}
    (request,) = server.requests
    assert len((request.document or {})["resourceSpans"]) == 1


def test_a_service_that_has_a_name_keeps_it(server: SentrialStandIn) -> None:
    provider = provider_with(
        SentrialSpanProcessor(KEY, project="parcels"), resource=Resource({"service.name": "shop"})
    )  # fmt: skip
    provider.get_tracer("app").start_span("call", attributes=AI).end()
    assert delivered(provider, server)["call"]["resource"]["service.name"] == "shop"


def test_the_user_is_read_where_the_application_keeps_it(server: SentrialStandIn) -> None:
    provider = provider_with(SentrialSpanProcessor(KEY, user_id_attribute="app.customer"))
    tracer = provider.get_tracer("app")
    with tracer.start_as_current_span("POST /chat", attributes={"app.customer": 7, "gen_ai.conversation.id": "c1"}):
        pass
    with tracer.start_as_current_span("POST /chat", attributes={"app.customer": 7, "thread.id": "c1"}):
        tracer.start_span("first", attributes=AI).end()
        tracer.start_span("second", attributes={**AI, "app.customer": "bob", "session.id": "c2"}).end()
    spans = {name: span["attributes"] for name, span in delivered(provider, server).items() if name != "POST /chat"}
    assert spans == {
        "first": {**AI, "user.id": "7", "sentrial.convo_id": "c1"},
        "second": {
            **AI, "app.customer": "bob", "session.id": "c2", "user.id": "bob", "sentrial.convo_id": "c2",
        },
    }  # fmt: skip


def test_what_we_add_breaks_no_convention(server: SentrialStandIn, shared: Path, tmp_path: Path) -> None:
    """Other instrumentations may; so the traces are checked with and without our additions."""

    def findings(provider: TracerProvider, receiver: Any) -> list[tuple[str, str, str]]:
        for dialect in DIALECTS:
            dialect.write(provider)
        provider.get_tracer("app").start_span("invoke_agent", attributes={**AGENT, "app.customer": "ann"}).end()
        assert provider.force_flush(10_000)
        file = tmp_path / "spans.jsonl"
        file.write_text(receiver.otlp_json(), encoding="utf-8")
        command = [sys.executable, str(shared / "semconv" / "check_otlp.py"), "--json", "--min-spans", "6", str(file)]
        checked = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        return sorted(
            (each["span_name"], each["id"], each.get("attribute", "")) for each in checked["findings"]
            if each["level"] == "violation"
        )  # fmt: skip

    with OtlpHttpReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url)
        setup_otel_tracing()
        as_written = findings(_setup._our_provider(sentrial._config.active, private=True), collector)
        sentrial.shutdown()
    added = SentrialSpanProcessor(KEY, project="parcels", user_id_attribute="app.customer")
    assert findings(provider_with(added), server) == as_written


def test_ids_stay_what_they_are(server: SentrialStandIn) -> None:
    provider = provider_with(SentrialSpanProcessor(KEY))
    span = provider.get_tracer("app").start_span("call", attributes=AI)
    span.end()
    assert delivered(provider, server)["call"]["span_id"] == format_span_id(span.get_span_context().span_id)
