"""``sentrial.doctor()`` inside a program: what it sees there, and that it leaves everything as it was."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from opentelemetry import propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import sentrial
from fake_provider import FakeProvider
from receivers import OtlpHttpReceiver, SentrialStandIn
from running import run_program
from sentrial import SentrialClient, _config, _guard, _registry, _setup
from sentrial.diagnosis import doctor

KEY, OTHER = "sentrial_test_key_0123456789", "sentrial_other_key_abcdefghi"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY, OTHER]) as stand_in:
        yield stand_in
        sentrial.shutdown()


def codes(document: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in document["findings"]]


def setting(document: dict[str, Any], name: str) -> tuple[Any, str]:
    (found,) = [each for each in document["configuration"]["settings"] if each["name"] == name]
    return found["value"], found["source"]


# --- what it sees ----------------------------------------------------------------------------------------------------


def test_what_was_set_in_code_is_told_as_such(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRIAL_API_URL", server.url)
    monkeypatch.setenv("SENTRIAL_QUEUE_SIZE", "5000000")
    sentrial.configure(api_key=KEY, flush_interval=0.25)
    document = doctor(send=False)
    assert document["process"] == "program"
    assert setting(document, "api_key") == ("...6789", "argument")
    assert setting(document, "api_url") == (server.url, "SENTRIAL_API_URL")
    assert setting(document, "flush_interval") == (0.25, "argument")
    assert setting(document, "queue_size") == (5_000_000, "SENTRIAL_QUEUE_SIZE")
    assert setting(document, "flush_timeout") == (5.0, "default")


def test_what_was_added_later_has_a_source_too(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    SentrialClient(pii=True)
    document = doctor(send=False)
    assert setting(document, "pii") == ("label", "argument")
    assert setting(document, "api_key") == ("...6789", "argument")


def test_before_anything_was_set_up_it_reads_the_environment_and_sets_nothing_up(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SENTRIAL_API_KEY", KEY)
    monkeypatch.setenv("SENTRIAL_API_URL", server.url)
    monkeypatch.setenv("SENTRIAL_QUEUE_SIZE", "lots")
    document = doctor()
    assert document["destinations"][0]["outcome"] == "stored"
    assert codes(document) == ["setting-unusable"]
    assert not _setup.is_set_up()
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    assert caplog.records == []
    _config.read_config({})  # whoever sets up later still hears of it
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_provider_that_was_joined_is_told_with_its_processors(server: SentrialStandIn) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    trace.set_tracer_provider(provider)
    sentrial.configure(api_key=KEY, api_url=server.url)
    before = doctor(send=False)["tracing"]
    assert before["kind"] == "not joined"
    sentrial.begin("u", "agent").finish()
    tracing = doctor()["tracing"]
    assert (tracing["kind"], tracing["provider"]) == ("joined", "opentelemetry.sdk.trace.TracerProvider")
    assert tracing["processors"] == [
        "SimpleSpanProcessor(InMemorySpanExporter)",
        "BatchSpanProcessor(InMemorySpanExporter)",
        "sentrial's Tap",
    ]
    assert sentrial.flush(10)
    (root,) = [span for span in server.spans if span["name"] == "invoke_agent sentrial-doctor"]
    assert root["resource"]["service.name"] == "shop"
    provider.shutdown()


def test_a_joined_providers_own_exporter_is_left_to_send_to_its_collector(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    sentrial.configure(api_key=KEY, api_url=server.url)
    sentrial.begin("u", "agent").finish()
    document = doctor()
    assert [each["kind"] for each in document["destinations"]] == ["sentrial"]
    assert [span.name for span in exporter.get_finished_spans()] == ["invoke_agent agent"]
    provider.shutdown()


def test_a_provider_of_ours_is_told_as_ours(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    sentrial.begin("u", "agent").finish()
    tracing = doctor(send=False)["tracing"]
    assert (tracing["kind"], tracing["processors"]) == ("ours", ["sentrial's Tap"])
    assert tracing["sampler"].startswith("SessionSampler(")


def test_the_programs_sampler_that_keeps_nothing_is_a_problem(server: SentrialStandIn) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF)
    trace.set_tracer_provider(provider)
    sentrial.configure(api_key=KEY, api_url=server.url, sample_rate=0.5)
    found = {each["code"]: each["remedy"] for each in doctor(send=False)["findings"]}
    assert found["sampler-drops-all"] == "Change the sampler of your own TracerProvider."
    assert "sample-rate-unused" in found
    provider.shutdown()


def test_a_provider_that_takes_no_processors_is_told(server: SentrialStandIn) -> None:
    trace.set_tracer_provider(trace.NoOpTracerProvider())
    sentrial.configure(api_key=KEY, api_url=server.url)
    document = doctor(send=False)
    assert document["tracing"]["kind"] == "foreign"
    assert "provider-foreign" in codes(document)


@pytest.fixture
def propagators_afterwards() -> Iterator[None]:
    before = propagate.get_global_textmap()
    yield
    sentrial.shutdown()
    propagate.set_global_textmap(before)


def test_a_propagator_that_was_set_in_the_place_of_ours_is_told(
    server: SentrialStandIn, propagators_afterwards: None
) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    assert doctor(send=False)["tracing"]["sessions_propagated"] is None
    sentrial.configure(api_key=KEY, api_url=server.url, propagate_session=True)
    assert doctor(send=False)["tracing"]["sessions_propagated"] is True
    propagate.set_global_textmap(CompositePropagator([propagate.get_global_textmap()]))
    document = doctor(send=False)
    assert document["tracing"]["sessions_propagated"] is True
    assert "propagator-replaced" not in codes(document)
    propagate.set_global_textmap(CompositePropagator([W3CBaggagePropagator()]))
    document = doctor(send=False)
    assert document["tracing"]["sessions_propagated"] is False
    assert "propagator-replaced" in codes(document)
    sentrial.configure(api_key=KEY, api_url=server.url, propagate_session=True)
    assert "propagator-replaced" not in codes(doctor(send=False))


def of_openai(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in document["clients"] if each["client"] == "openai"]


def test_clients_are_told_with_their_calls(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    document = doctor(send=False)
    assert {each["client"] for each in document["clients"]} >= {"anthropic", "google", "openai"}
    assert "not in this version" not in {each["state"] for each in document["clients"]}
    assert {each["state"] for each in of_openai(document)} == {"patched"}
    assert "client-never-called" in codes(document)
    with FakeProvider() as model, OpenAI(api_key="k", base_url=model.base_url) as client:
        for _ in range(3):
            client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
    document = doctor(send=False)
    assert {each["target"]: each["calls"] for each in of_openai(document)} == {
        "openai._base_client.SyncAPIClient.request": 3,
        "openai._base_client.AsyncAPIClient.request": 0,
    }
    assert not [each for each in document["findings"] if "openai" in each["words"]]


def test_a_client_that_was_left_out_is_off(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, instrument=[])
    assert {each["state"] for each in doctor(send=False)["clients"]} == {"off"}


def test_another_wrapper_in_a_patched_method_is_told(
    server: SentrialStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other_tracing.py").write_text(OTHER_TRACING)
    monkeypatch.syspath_prepend(str(tmp_path))
    other = importlib.import_module("other_tracing")
    from openai._base_client import SyncAPIClient

    monkeypatch.setattr(SyncAPIClient, "request", other.traced(SyncAPIClient.request))
    sentrial.configure(api_key=KEY, api_url=server.url)
    document = doctor(send=False)
    assert [each["also_patched_by"] for each in of_openai(document)] == [["other_tracing"]] * 2
    assert "client-recorded-by-others" in codes(document)
    sentrial.shutdown()
    sys.modules.pop("other_tracing")


OTHER_TRACING = """
import wrapt

@wrapt.decorator
def traced(wrapped, instance, args, kwargs):
    return wrapped(*args, **kwargs)
"""


def test_other_instrumentations_that_are_on_are_told(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    states = {each["name"]: each["state"] for each in doctor(send=False)["others"]}
    name = "opentelemetry-instrumentation-requests"
    assert states[name] in ("installed", "loaded")
    RequestsInstrumentor().instrument()
    try:
        document = doctor()
    finally:
        RequestsInstrumentor().uninstrument()
    assert {each["name"]: each["state"] for each in document["others"]}[name] == "active"
    assert sentrial.flush(10)
    assert len(server.spans) == 2  # the test session, and no span of the request that carried it


def test_every_account_of_the_process_is_tried(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    SentrialClient(api_key=OTHER, api_url=server.url)
    document = doctor()
    assert [(each["name"], each["key"], each["outcome"]) for each in document["destinations"]] == [
        (f"Sentrial {server.url}", "...6789", "stored"),
        (f"Sentrial {server.url} (account 2)", "...fghi", "stored"),
    ]
    assert len(server.spans_of(KEY)) == len(server.spans_of(OTHER)) == 2


def test_what_was_lost_so_far_is_a_problem(server: SentrialStandIn) -> None:
    sentrial.configure(api_key="sentrial_unknown_key", api_url=server.url)
    sentrial.begin("u", "agent").finish()
    assert sentrial.flush(10)
    found = {each["code"]: each["words"] for each in doctor(send=False)["findings"]}
    assert found["spans-lost"] == f"spans for Sentrial {server.url} were lost in this process: 1 (refused)"


# --- what it leaves alone --------------------------------------------------------------------------------------------


def test_nothing_of_the_program_changes(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    session = sentrial.begin("u", "agent")
    provider, config, stats = trace.get_tracer_provider(), _config.active, sentrial.stats()
    current, known = sentrial.get_current_session_id(), [each.id for each in _registry.open_sessions()]
    assert doctor()["destinations"][0]["outcome"] == "stored"
    assert trace.get_tracer_provider() is provider
    assert _config.active is config
    assert sentrial.stats() == stats
    assert sentrial.get_current_session_id() == current == session.session_id
    assert [each.id for each in _registry.open_sessions()] == known
    session.finish()
    assert sentrial.flush(10)
    assert {span["trace_id"] for span in server.spans if span["name"] == "invoke_agent agent"} == {
        session.session_id[:32]
    }


def test_a_part_that_cannot_be_looked_at_costs_itself_alone(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Odd(TracerProvider):
        @property
        def sampler(self) -> Any:
            raise RuntimeError("no business of yours")

        @sampler.setter
        def sampler(self, value: Any) -> None: ...

    provider = Odd()
    trace.set_tracer_provider(provider)
    monkeypatch.setattr(_guard, "strict", False)
    document = doctor(send=False)
    assert document["tracing"] is None
    (finding,) = [each for each in document["findings"] if each["code"] == "doctor-failed"]
    assert finding["words"] == "tracing could not be looked at: RuntimeError: no business of yours"
    assert document["versions"]["sentrial-otel"] == sentrial.__version__
    provider.shutdown()


def test_a_program_whose_doctor_got_no_answer_ends_all_the_same() -> None:
    with OtlpHttpReceiver() as hanging:
        hanging.silence()
        done = run_program(
            """
            import json
            from sentrial.diagnosis import doctor

            print(json.dumps([each["outcome"] for each in doctor(timeout=0.3)["destinations"]]))
            """,
            # Whoever waited for what the doctor has given up would wait for a minute.
            {"OTEL_EXPORTER_OTLP_ENDPOINT": hanging.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "60"},
        )
    assert done.printed == [["no answer"]]
    assert done.seconds < 40
    assert done.err == ""
