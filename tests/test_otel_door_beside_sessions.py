"""The processor of the old SDK beside our own sessions, beside others of its kind, and its end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context

import sentrial
from dialects import AI, delivered, provider_with, write_ladder
from receivers import SentrialStandIn
from running import by_name, id_of, session_of
from sentrial._spans import llm
from sentrial._store.connection import open_for_reading
from sentrial._store.read import read_spans
from sentrial.otel import SentrialSpanProcessor, setup_otel_tracing
from sentrial.types import LlmRequest, LlmResponse

KEY, OTHER = "sentrial_test_key", "sentrial_other_key"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY, OTHER]) as stand_in:
        monkeypatch.setenv("SENTRIAL_API_URL", stand_in.url)
        yield stand_in
        sentrial.shutdown(timeout=0.1)


def patched_call(model: str) -> None:
    llm.begin(LlmRequest("chat", "openai", model)).succeed(LlmResponse())


@pytest.mark.parametrize("order", ["processor first", "session first"])
def test_a_provider_that_we_join_too_sends_nothing_twice(server: SentrialStandIn, order: str) -> None:
    provider = provider_with()
    trace.set_tracer_provider(provider)
    sentrial.configure(api_key=KEY, api_url=server.url)
    steps = [
        lambda: provider.add_span_processor(SentrialSpanProcessor(KEY)),
        lambda: sentrial.begin("u", "before").finish(),
    ]
    for step in steps if order == "processor first" else reversed(steps):
        step()
    tracer = trace.get_tracer("app")
    with sentrial.begin("u", "agent") as session, tracer.start_as_current_span("SELECT"):
        tracer.start_span("call inside", attributes=AI).end()
        patched_call("inside")
    tracer.start_span("call outside", attributes=AI).end()
    patched_call("outside")
    spans = delivered(provider, server)  # each once
    assert set(spans) == {
        "invoke_agent before",
        "invoke_agent agent",
        "SELECT",
        "call inside",
        "chat inside",
        "call outside",
        "chat outside",
    }
    inside = {name for name, span in spans.items() if span["attributes"].get("sentrial.session.id")}
    assert {name for name in inside if session_of(spans[name]) == session.session_id} == {
        "invoke_agent agent",
        "SELECT",
        "call inside",
        "chat inside",
    }
    assert sentrial.stats() == {f"Sentrial {server.url}": {"stored": 7}}


def test_a_session_goes_whole_to_its_own_account_whatever_the_filter_says(server: SentrialStandIn) -> None:
    provider = provider_with(SentrialSpanProcessor(OTHER, custom_filter=lambda span: False))
    trace.set_tracer_provider(provider)
    sentrial.configure(api_key=KEY, api_url=server.url)
    with sentrial.begin("u", "agent"):
        trace.get_tracer("app").start_span("SELECT").end()
    assert provider.force_flush(10_000)
    assert {span["name"] for span in server.spans_of(KEY)} == {"invoke_agent agent", "SELECT"}
    assert server.spans_of(OTHER) == []


def test_spans_of_a_session_that_a_provider_besides_makes_belong_to_it(server: SentrialStandIn) -> None:
    besides = provider_with(SentrialSpanProcessor(KEY))
    sentrial.configure(api_key=KEY, api_url=server.url)
    tracer = besides.get_tracer("app")
    with sentrial.begin("u", "agent") as session, tracer.start_as_current_span("SELECT") as select:
        pass
    # As in a thread that was given the span, and nothing else.
    tracer.start_span("call", trace.set_span_in_context(select, Context()), attributes=AI).end()
    spans = delivered(besides, server)
    assert {session_of(span) for span in spans.values()} == {session.session_id}
    assert {name: span["parent_span_id"] for name, span in spans.items()} == {
        "invoke_agent agent": None,
        "SELECT": spans["invoke_agent agent"]["span_id"],
        "call": spans["SELECT"]["span_id"],
    }


def test_two_processors_with_two_keys_each_send_what_they_are_asked_for(server: SentrialStandIn) -> None:
    provider = provider_with(
        SentrialSpanProcessor(KEY, project="one"), SentrialSpanProcessor(OTHER, project="two", filter_ai_spans=False)
    )
    with provider.get_tracer("app").start_as_current_span("POST /chat"):
        provider.get_tracer("app").start_span("call", attributes=AI).end()
    assert provider.force_flush(10_000)
    one, two = by_name(server.spans_of(KEY)), by_name(server.spans_of(OTHER))
    assert {name: span["parent_span_id"] for name, span in one.items()} == {"call": None}
    assert {name: span["parent_span_id"] for name, span in two.items()} == {
        "POST /chat": None,
        "call": two["POST /chat"]["span_id"],
    }
    assert one["call"]["attributes"]["sentrial.project"] == "one"
    assert id_of(one["call"]) == id_of(two["call"])


def test_one_key_gets_a_span_once_however_many_processors_there_are(server: SentrialStandIn) -> None:
    processor = SentrialSpanProcessor(KEY)
    provider = provider_with(processor, processor, SentrialSpanProcessor(KEY, filter_ai_spans=False))
    provider.get_tracer("app").start_span("call", attributes=AI).end()
    assert set(delivered(provider, server)) == {"call"}


# --- without a key, switched off, ended ----------------------------------------------------------------------------


def test_the_key_of_configure_counts_also_when_it_comes_later(server: SentrialStandIn) -> None:
    provider = provider_with(SentrialSpanProcessor())
    sentrial.configure(api_key=KEY, api_url=server.url)
    provider.get_tracer("app").start_span("call", attributes=AI).end()
    assert set(delivered(provider, server)) == {"call"}


def test_without_any_key_spans_are_kept_in_the_local_store(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    provider = provider_with(SentrialSpanProcessor())
    write_ladder(provider)
    assert provider.force_flush(10_000)
    store = tmp_path / "home" / ".local" / "share" / "sentrial" / "sessions.db"
    with open_for_reading(store) as connection:
        assert {span.name for span in read_spans(connection, None)} == {"agent", "call"}
    assert str(store) in caplog.text
    sentrial.shutdown()


def test_switched_off_nothing_is_taken(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRIAL_ENABLED", "false")
    setup_otel_tracing(api_key=KEY)
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    provider = provider_with(SentrialSpanProcessor(KEY))
    write_ladder(provider)
    assert delivered(provider, server) == {}
    sentrial.configure(api_key=KEY, api_url=server.url, enabled=True)
    write_ladder(provider)
    assert set(delivered(provider, server)) == {"agent", "call"}
    sentrial.configure(enabled=False)
    write_ladder(provider)
    assert provider.force_flush(10_000)
    assert len(server.spans) == 2


def test_the_end_of_the_provider_delivers_and_ends(server: SentrialStandIn) -> None:
    sentrial.configure(api_url=server.url, flush_interval=60)
    provider = provider_with(SentrialSpanProcessor(KEY))
    tracer = provider.get_tracer("app")
    with tracer.start_as_current_span("POST /chat"):
        tracer.start_span("call", attributes=AI).end()
        provider.shutdown()
        assert [span["name"] for span in server.spans] == ["call"]  # delivered by now, and not later
        tracer.start_span("after", attributes=AI).end()
    assert sentrial.flush(10)
    assert [span["name"] for span in server.spans] == ["call"]


def test_our_own_flush_and_shutdown_deliver_what_waits_for_a_parent(server: SentrialStandIn) -> None:
    provider = provider_with(SentrialSpanProcessor(KEY))
    tracer = provider.get_tracer("app")
    with tracer.start_as_current_span("POST /chat"):
        tracer.start_span("first", attributes=AI).end()
        assert sentrial.flush(10)
        assert set(by_name(server.spans)) == {"first"}
        tracer.start_span("second", attributes=AI).end()
        sentrial.shutdown()
        assert set(by_name(server.spans)) == {"first", "second"}


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ({"project": 7}, "project=7 is not usable: it must be a text. It is ignored."),
        ({"custom_filter": "ai"}, "custom_filter='ai' is not usable: it must be a function"),
        ({"user_id_attribute": None}, "user_id_attribute=None is not usable: it must be the name of an attribute."),
        ({"api_key": "a b"}, "api_key=(not shown) is not usable: it must be the key alone"),
        ({"api_url": "nowhere"}, "api_url=(not shown, for it may be a key) is not usable: it must be an address"),
    ],
)
def test_bad_arguments_are_named_and_cost_nothing(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    arguments: dict[str, Any], remedy: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("SENTRIAL_API_KEY", KEY)
    caplog.set_level(logging.WARNING)
    provider = provider_with(SentrialSpanProcessor(**arguments))
    provider.get_tracer("app").start_span("call", attributes={**AI, "user.id": "ann"}).end()
    assert delivered(provider, server)["call"]["attributes"] == {**AI, "user.id": "ann"}
    assert [record.message for record in caplog.records if remedy in record.message] != []
    assert len(caplog.records) == 1
