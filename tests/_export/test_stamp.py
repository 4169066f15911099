"""Whose it is stands on every span started inside a session, third-party spans too, whatever else they carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from receivers import OtlpHttpReceiver, SentrialStandIn
from running import Span, arrived, session_of

KEY = "sentrial_test_key"
STAMPS = ("sentrial.session.id", "session.id", "user.id", "gen_ai.conversation.id")


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


@pytest.fixture
def theirs() -> InMemorySpanExporter:
    """What the application's own exporter sees, in a provider of the application's."""
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def stamps_of(span: Span) -> dict[str, Any]:
    return {key: span["attributes"][key] for key in STAMPS if key in span["attributes"]}


def third_party_span(name: str, **attributes: Any) -> None:
    plain = {key.replace("__", "."): value for key, value in attributes.items()}
    with trace.get_tracer("third.party").start_as_current_span(name, attributes=plain):
        pass


def test_third_party_spans_inside_a_session_say_whose_they_are(server: SentrialStandIn) -> None:
    third_party_span("before")
    with sentrial.begin("u", "agent", convo_id="c") as session:
        third_party_span("SELECT", db__system__name="sqlite")
    third_party_span("after")
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "SELECT"}
    root, span = spans["invoke_agent agent"], spans["SELECT"]
    assert (span["trace_id"], span["parent_span_id"]) == (root["trace_id"], root["span_id"])
    assert span["attributes"] == {
        "db.system.name": "sqlite",
        "sentrial.session.id": session.session_id,
        "session.id": "c",
        "user.id": "u",
    }
    assert span["scope_name"] == "third.party"


@pytest.mark.parametrize(
    ("operation", "has_it"),
    [
        ("chat", True),
        ("text_completion", True),
        ("generate_content", True),
        ("invoke_agent", True),
        ("invoke_workflow", True),
        ("execute_tool", True),
        ("embeddings", False),
        ("retrieval", False),
        ("create_agent", False),
        (None, False),
    ],
)
def test_the_conversation_stands_only_where_the_conventions_allow_it(
    server: SentrialStandIn, operation: str | None, has_it: bool
) -> None:
    with sentrial.begin("u", "agent", convo_id="c"):
        third_party_span("span", **({"gen_ai__operation__name": operation} if operation else {}))
    stamps = stamps_of(arrived(server)["span"])
    assert stamps.get("gen_ai.conversation.id") == ("c" if has_it else None)
    assert stamps["session.id"] == "c"


def test_a_conversation_that_nobody_gave_is_not_made_up(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "agent") as session:
        third_party_span("span", gen_ai__operation__name="chat")
    assert stamps_of(arrived(server)["span"]) == {
        "sentrial.session.id": session.session_id,
        "session.id": session.session_id,
        "user.id": "u",
    }


def test_each_session_stamps_its_own(server: SentrialStandIn) -> None:
    for user in ("ann", "bob"):
        with sentrial.begin(user, f"agent of {user}", convo_id=f"c-{user}") as session:
            third_party_span(f"SELECT {user}")
        stamps = stamps_of(arrived(server)[f"SELECT {user}"])
        assert stamps == {"sentrial.session.id": session.session_id, "session.id": f"c-{user}", "user.id": user}


def test_the_applications_own_exporters_see_the_stamps_inside_and_none_outside(
    theirs: InMemorySpanExporter, server: SentrialStandIn
) -> None:
    third_party_span("before")
    with sentrial.begin("u", "agent") as session:
        third_party_span("inside")
    third_party_span("after")
    seen = {span.name: dict(span.attributes or {}) for span in theirs.get_finished_spans()}
    assert (seen["before"], seen["after"]) == ({}, {})
    assert seen["inside"] == {
        "sentrial.session.id": session.session_id,
        "session.id": session.session_id,
        "user.id": "u",
    }


@pytest.mark.filterwarnings("default")
def test_a_span_that_lost_its_stamps_to_the_sdks_limit_is_still_delivered_as_whose_it_is(
    theirs: InMemorySpanExporter, server: SentrialStandIn
) -> None:
    with sentrial.begin("u", "agent", convo_id="c") as session:
        span = trace.get_tracer("third.party").start_span("wide")
        span.set_attributes({f"key{number:03}": number for number in range(200)})
        span.set_attribute("gen_ai.operation.name", "chat")
        span.end()
    (wide,) = (span for span in theirs.get_finished_spans() if span.name == "wide")
    assert "sentrial.session.id" not in (wide.attributes or {})  # the SDK keeps the newest 128
    spans = arrived(server)
    assert stamps_of(spans["wide"]) == {
        "sentrial.session.id": session.session_id,
        "session.id": "c",
        "user.id": "u",
        "gen_ai.conversation.id": "c",
    }
    assert spans["wide"]["attributes"]["key199"] == 199
    assert spans["wide"]["dropped_attributes"] == 200 + 3 + 1 - 128
    assert spans["wide"]["parent_span_id"] == spans["invoke_agent agent"]["span_id"]


@pytest.mark.filterwarnings("default")
def test_a_span_without_its_stamps_is_not_taken_for_another_sessions(server: SentrialStandIn) -> None:
    inside = {}
    for user in ("ann", "bob"):
        with sentrial.begin(user, f"agent of {user}") as session:
            span = trace.get_tracer("third.party").start_span(f"wide {user}")
            span.set_attributes({f"key{number:03}": number for number in range(200)})
            inside[user] = session.session_id
        span.end()  # after its session
    stray = trace.get_tracer("third.party").start_span("wide")
    stray.set_attributes({f"key{number:03}": number for number in range(200)})
    stray.end()
    spans = arrived(server)
    assert {name: session_of(span) for name, span in spans.items() if name.startswith("wide")} == {
        "wide ann": inside["ann"],
        "wide bob": inside["bob"],
    }


def test_what_the_sdk_dropped_is_still_told(server: SentrialStandIn) -> None:
    with OtlpHttpReceiver() as collector:
        sentrial.configure(api_key=KEY, api_url=server.url, otlp_endpoint=collector.url)
        with sentrial.begin("u", "agent"):
            span = trace.get_tracer("third.party").start_span("busy")
            for number in range(130):
                span.add_event(f"event{number}")
            span.end()
        for spans in (arrived(server), arrived(collector)):
            assert (len(spans["busy"]["events"]), spans["busy"]["dropped_events"]) == (128, 2)
        sentrial.shutdown()


def test_secrets_on_third_party_spans_are_masked_on_our_road_only(
    theirs: InMemorySpanExporter, server: SentrialStandIn
) -> None:
    with sentrial.begin("u", "agent"), trace.get_tracer("third.party").start_as_current_span("GET") as span:
        span.set_attributes(
            {"url.full": "https://bob:hunter22@example.org/", "http.request.header.authorization": "abc"}
        )
        span.add_event("said", {"words": "Bearer abc123def456ghi789jkl0"})
    found = arrived(server)["GET"]
    assert found["attributes"]["url.full"] == "https://bob:[masked]@example.org/"
    assert found["attributes"]["http.request.header.authorization"] == "[masked]"
    assert found["events"][0]["attributes"] == {"words": "Bearer [masked]"}
    (own,) = (span for span in theirs.get_finished_spans() if span.name == "GET")
    assert (own.attributes or {})["url.full"] == "https://bob:hunter22@example.org/"
