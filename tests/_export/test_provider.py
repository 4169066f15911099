"""Whose provider: the application's is joined, whenever it comes; ours takes its place only where there is none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased

import sentrial
from receivers import OtlpHttpReceiver, SentrialStandIn
from running import arrived, by_name, session_of
from sentrial import _config
from sentrial._export.provider import SessionSampler

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()


def application_provider() -> tuple[TracerProvider, InMemorySpanExporter]:
    """A provider as an application sets it, and what its own exporter saw."""
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider, exporter


def make_a_session(name: str = "agent") -> None:
    with sentrial.begin("u", name):
        trace.get_tracer("third.party").start_span(f"SELECT of {name}").end()


def names_in(exporter: InMemorySpanExporter) -> list[str]:
    return sorted(span.name for span in exporter.get_finished_spans())


def is_free() -> bool:
    """Whether nobody has set a global provider."""
    return isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


# --- the application's -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("configured", ["before", "after", "both"])
def test_the_applications_provider_is_joined_whenever_it_comes(server: SentrialStandIn, configured: str) -> None:
    if configured in ("before", "both"):
        sentrial.configure(api_key=KEY, api_url=server.url)
        assert is_free()
    provider, exporter = application_provider()
    if configured in ("after", "both"):
        sentrial.configure(api_key=KEY, api_url=server.url)
    make_a_session()
    make_a_session("second")
    assert trace.get_tracer_provider() is provider
    expected = ["SELECT of agent", "SELECT of second", "invoke_agent agent", "invoke_agent second"]
    assert sorted(arrived(server)) == names_in(exporter) == expected


def test_no_configure_is_needed_with_the_environment_set(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTRIAL_API_KEY", KEY)
    monkeypatch.setenv("SENTRIAL_API_URL", server.url)
    provider, _ = application_provider()
    make_a_session()
    assert set(arrived(server)) == {"invoke_agent agent", "SELECT of agent"}
    assert trace.get_tracer_provider() is provider


def test_spans_that_the_application_began_before_are_its_own(server: SentrialStandIn) -> None:
    _, exporter = application_provider()
    before = trace.get_tracer("web").start_span("GET /")
    sentrial.configure(api_key=KEY, api_url=server.url)
    make_a_session()
    before.end()
    assert set(arrived(server)) == {"invoke_agent agent", "SELECT of agent"}
    assert "GET /" in names_in(exporter)


def test_joining_twice_sends_nothing_twice(server: SentrialStandIn) -> None:
    _, exporter = application_provider()
    for _ in range(3):
        sentrial.configure(api_key=KEY, api_url=server.url)
    make_a_session()
    assert set(arrived(server)) == {"invoke_agent agent", "SELECT of agent"}
    sentrial.shutdown()
    sentrial.configure(api_key=KEY, api_url=server.url)
    make_a_session("second")
    assert len(arrived(server)) == 4
    assert len(names_in(exporter)) == 4


def test_the_end_of_a_joined_provider_ends_and_delivers_what_is_open(server: SentrialStandIn) -> None:
    provider, _ = application_provider()
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=60)
    session = sentrial.begin("u", "agent")
    session.track_tool_call("t", {}, {})
    provider.shutdown()
    spans = by_name(server.spans)  # delivered by now, and not later
    assert set(spans) == {"invoke_agent agent", "execute_tool t"}
    assert spans["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] == "abandoned"
    assert session.finish() == {}


def test_flushing_a_joined_provider_flushes_our_road(server: SentrialStandIn) -> None:
    provider, _ = application_provider()
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=60)
    make_a_session()
    assert provider.force_flush(10_000)
    assert len(server.spans) == 2


# --- ours ------------------------------------------------------------------------------------------------------------


def test_ours_is_global_from_the_first_session_on_and_not_before(server: SentrialStandIn) -> None:
    early = trace.get_tracer("third.party")  # before there is any provider
    sentrial.configure(api_key=KEY, api_url=server.url)
    assert is_free()
    client = sentrial.SentrialClient()
    assert is_free()
    with client.begin("u", "agent") as session:
        assert isinstance(trace.get_tracer_provider(), TracerProvider)
        early.start_span("early").end()
        trace.get_tracer("another").start_span("late").end()
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "early", "late"}
    assert {session_of(span) for span in spans.values()} == {session.session_id}


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_ours_can_be_kept_private(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "variable":
        monkeypatch.setenv("SENTRIAL_SET_GLOBAL", "false")
    sentrial.configure(api_key=KEY, api_url=server.url, set_global=False if how == "argument" else None)
    make_a_session()
    assert is_free()
    provider, exporter = application_provider()  # the place is free for the application at any time
    assert trace.get_tracer_provider() is provider
    make_a_session("second")
    assert set(arrived(server)) == {"invoke_agent agent", "invoke_agent second"}
    assert names_in(exporter) == ["SELECT of second"]


def test_our_provider_reads_the_standard_variables(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    sentrial.configure(api_key=KEY, api_url=server.url)
    make_a_session()
    resource = arrived(server)["invoke_agent agent"]["resource"]
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("shop", "test")


def test_the_end_of_our_own_provider_delivers_too(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=60)
    sentrial.begin("u", "agent")
    provider: Any = trace.get_tracer_provider()
    provider.shutdown()
    assert [span["attributes"]["sentrial.session.outcome"] for span in server.spans] == ["abandoned"]


# --- a foreign kind ------------------------------------------------------------------------------------------------


class ForeignProvider(trace.TracerProvider):
    """A provider that takes no span processors, as some vendors have them."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return trace.NoOpTracer()


class ForeignWithProcessors(ForeignProvider):
    """One with a method of that name that means something else."""

    def __init__(self) -> None:
        self.added: list[object] = []

    def add_span_processor(self, processor: object) -> None:
        self.added.append(processor)


@pytest.mark.parametrize("kind", [ForeignProvider, ForeignWithProcessors, trace.NoOpTracerProvider])
def test_a_foreign_kind_of_provider_gets_a_private_pipeline_beside_it_and_one_line(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, kind: type[trace.TracerProvider]
) -> None:
    foreign = kind()
    trace.set_tracer_provider(foreign)
    sentrial.configure(api_key=KEY, api_url=server.url)
    make_a_session()
    sentrial.configure(api_key=KEY, api_url=server.url)
    make_a_session("second")
    assert set(arrived(server)) == {"invoke_agent agent", "invoke_agent second"}
    assert trace.get_tracer_provider() is foreign
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (
            logging.WARNING,
            f"sentrial: the global TracerProvider ({kind.__module__}.{kind.__qualname__}) takes no span processors; "
            "sessions go through a private one.",
        )
    ]
    assert getattr(foreign, "added", []) == []


def test_a_foreign_kind_of_provider_keeps_the_collector_fed_by_us(server: SentrialStandIn) -> None:
    with OtlpHttpReceiver() as collector:
        trace.set_tracer_provider(ForeignProvider())
        sentrial.configure(api_key=KEY, api_url=server.url, otlp_endpoint=collector.url)
        make_a_session()
        assert set(arrived(collector)) == set(arrived(server)) == {"invoke_agent agent"}
        sentrial.shutdown()


# --- sampling --------------------------------------------------------------------------------------------------------


def test_a_rate_keeps_whole_sessions_only(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, sample_rate=0.3, queue_size=1_000_000_000)
    client = sentrial.SentrialClient()
    ids = []
    for number in range(2_000):
        session_id = client.create_session("n", "agent", "u")
        client.track_tool_call(session_id, f"t{number}", {}, {}, estimated_cost=0.5)
        ids.append(session_id)
        assert client.complete_session(session_id) == {"id": session_id, "status": "completed", "success": True}
    assert sentrial.flush(30)
    events: dict[str, list[str]] = {}
    for span in server.spans:
        events.setdefault(session_of(span), []).append(span["attributes"]["sentrial.event.type"])
    assert len(set(ids)) == 2_000
    assert set(events) < set(ids)
    assert {tuple(sorted(kinds)) for kinds in events.values()} == {("session", "tool_call")}
    # Six standard deviations of a binomial distribution: one false alarm in a billion runs.
    assert 600 - 123 < len(events) < 600 + 123


def test_a_rate_of_nothing_keeps_none_and_ids_and_totals_exist(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, sample_rate=0)
    with sentrial.begin("u", "agent") as session:
        assert session.track_tool_call("t", {}, {}, estimated_cost=0.5)["sessionId"] == session.session_id
        session.track_llm_call("m", prompt_tokens=7)
        trace.get_tracer("third.party").start_span("SELECT").end()
        totals = session._session.totals
        assert (totals.tool_calls, totals.llm_calls, totals.input_tokens, totals.costs) == (1, 1, 7, [0.5])
        assert session.finish() == {"id": session.session_id, "status": "completed", "success": True}
    assert len(session.session_id) == 49
    assert arrived(server) == {}
    assert server.requests == []


def test_a_new_rate_counts_at_once(server: SentrialStandIn) -> None:
    for number, rate in enumerate((1, 0, 1)):
        sentrial.configure(api_key=KEY, api_url=server.url, sample_rate=rate)
        sentrial.begin("u", f"agent{number}").finish()
    assert set(arrived(server)) == {"invoke_agent agent0", "invoke_agent agent2"}


def test_the_standard_sampler_counts_where_no_rate_is_given(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    sentrial.configure(api_key=KEY, api_url=server.url)
    sentrial.begin("u", "dropped").finish()
    sentrial.configure(api_key=KEY, api_url=server.url, sample_rate=1)
    sentrial.begin("u", "kept").finish()
    assert set(arrived(server)) == {"invoke_agent kept"}


def test_the_sampler_says_what_decides() -> None:
    sampler = SessionSampler()
    assert sampler.get_description() == f"SessionSampler({ParentBased(ALWAYS_ON).get_description()})"
    _config.set_active(_config.Config(sample_rate=0.25))
    sampler.should_sample(None, 1, "n")
    assert sampler.get_description() == f"SessionSampler({ParentBased(TraceIdRatioBased(0.25)).get_description()})"
    _config.set_active(_config.Config())


def test_in_a_joined_provider_its_own_sampler_decides_and_one_line_says_so(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sentrial")
    trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_ON))
    sentrial.configure(api_key=KEY, api_url=server.url, sample_rate=0)
    for number in range(5):
        sentrial.begin("u", f"agent{number}").finish()
    assert len(arrived(server)) == 5
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (
            logging.INFO,
            "sentrial: SENTRIAL_SAMPLE_RATE is not used: the sampler of your own TracerProvider decides.",
        )
    ]


def test_a_joined_provider_that_samples_nothing_leaves_ids(server: SentrialStandIn) -> None:
    trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF))
    sentrial.configure(api_key=KEY, api_url=server.url)
    client = sentrial.SentrialClient()
    session_id = client.create_session("n", "agent", "u")
    assert client.track_decision(session_id, "r")["sessionId"] == session_id
    assert client.complete_session(session_id)["status"] == "completed"
    assert arrived(server) == {}
