"""What was wrong with the span processor of the old SDK, by the number of the list: here it is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests
from opentelemetry import trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Tracer, set_span_in_context

import sentrial
from dialects import AI, DIALECTS, Dialect, delivered, provider_with
from receivers import SentrialStandIn
from sentrial._export import ancestry
from sentrial.otel import SentrialSpanProcessor

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown(timeout=0.1)


@pytest.fixture
def provider(server: SentrialStandIn) -> TracerProvider:
    """A provider of the application's own, not the global one, with the processor."""
    return provider_with(SentrialSpanProcessor(api_key=KEY, api_url=server.url))


@pytest.fixture
def tracer(provider: TracerProvider) -> Tracer:
    return provider.get_tracer("agent")


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_otel_defect_01_spans_of_every_dialect_arrive_tools_and_generic_ones_too(
    provider: TracerProvider, server: SentrialStandIn, dialect: Dialect
) -> None:
    dialect.write(provider)
    spans = delivered(provider, server)
    assert set(spans) == {each.name for each in dialect.root.all}
    for each in dialect.root.all:
        assert spans[each.name]["attributes"] == each.attributes
    root = spans[dialect.root.name]
    assert root["parent_span_id"] is None
    assert {spans[child.name]["parent_span_id"] for child in dialect.root.children} == {root["span_id"]}
    assert {span["trace_id"] for span in spans.values()} == {root["trace_id"]}


def test_otel_defect_02_a_call_with_tokens_and_without_a_model_arrives(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    said = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10}
    tracer.start_span("chat", attributes=said).end()
    assert delivered(provider, server)["chat"]["attributes"] == said


def test_otel_defect_03_the_user_of_the_root_counts_though_children_end_first(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    with tracer.start_as_current_span("agent", attributes={"user.id": "ann", "openinference.span.kind": "AGENT"}):
        tracer.start_span("call", attributes=AI).end()
    spans = delivered(provider, server)
    assert spans["agent"]["attributes"]["user.id"] == "ann"
    assert spans["call"]["parent_span_id"] == spans["agent"]["span_id"]
    assert spans["agent"]["parent_span_id"] is None


def test_otel_defect_03_the_user_of_a_root_that_is_left_out_counts_too(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    with tracer.start_as_current_span("POST /chat", attributes={"user.id": "ann"}):
        tracer.start_span("call", attributes=AI).end()
    (call,) = delivered(provider, server).values()
    assert call["attributes"] == {"user.id": "ann", "llm.model_name": "m"}
    assert call["parent_span_id"] is None


def test_otel_defect_04_conversation_and_agent_are_sent(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    said = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "parcels",
        "gen_ai.conversation.id": "conv_1",
    }
    tracer.start_span("invoke_agent parcels", attributes=said).end()
    attributes = delivered(provider, server)["invoke_agent parcels"]["attributes"]
    # Sentrial looks for the conversation under a key of its own.
    assert attributes == {**said, "sentrial.convo_id": "conv_1"}


def test_otel_defect_05_attributes_of_todays_conventions_arrive_with_events_and_links(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": "gpt-4.1-mini-2025-04-14",
        "gen_ai.usage.cache_read.input_tokens": 7_000,
        "gen_ai.prompt.0.content": "Where is my parcel?",
        "llm.usage.total_tokens": 7_010,
    }
    before = tracer.start_span("before", attributes={"gen_ai.operation.name": "chat"})
    before.end()
    links = [trace.Link(before.get_span_context())]
    with tracer.start_as_current_span("chat", attributes=said, kind=SpanKind.CLIENT, links=links) as span:
        span.add_event("gen_ai.choice", {"finish_reason": "stop"})
    spans = delivered(provider, server)
    assert spans["chat"]["attributes"] == said
    assert [(event["name"], event["attributes"]) for event in spans["chat"]["events"]] == [
        ("gen_ai.choice", {"finish_reason": "stop"})
    ]
    assert [link["span_id"] for link in spans["chat"]["links"]] == [spans["before"]["span_id"]]


def test_otel_defect_06_errors_arrive_with_status_and_exception(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    with (
        pytest.raises(ConnectionError),
        tracer.start_as_current_span("agent", attributes={"openinference.span.kind": "AGENT"}),
        tracer.start_as_current_span("call", attributes=AI),
    ):
        raise ConnectionError("no route to the model")
    for span in delivered(provider, server).values():
        assert (span["status_code"], span["status_message"]) == (2, "ConnectionError: no route to the model")
        (event,) = span["events"]
        assert event["name"] == "exception"
        assert event["attributes"]["exception.message"] == "no route to the model"


def test_otel_defect_07_nothing_waits_for_a_shutdown(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    for number in range(3):
        tracer.start_span(f"call {number}", attributes=AI).end()
    assert [span["name"] for span in server.wait_for_spans(3)] == ["call 0", "call 1", "call 2"]


def test_otel_defect_07_what_is_remembered_of_traces_is_bounded(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ancestry, "MOST_KNOWN", 20)
    processor = SentrialSpanProcessor(api_key=KEY, api_url=server.url)
    provider = provider_with(processor)
    tracer = provider.get_tracer("agent")
    never_ended = []
    for number in range(200):
        with tracer.start_as_current_span(f"POST {number}") as span:
            never_ended.append(tracer.start_span("stream that is never closed"))
            tracer.start_span("call", attributes=AI, context=set_span_in_context(span)).end()
    assert processor.force_flush(10_000)
    assert len(server.spans) == 200
    assert len(processor._outside._ancestry) <= 2 * 20


def test_otel_defect_08_nobody_waits_for_a_server_and_a_flush_is_honest(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    server.silence()
    for number in range(10):
        with tracer.start_as_current_span(f"agent {number}", attributes={"openinference.span.kind": "AGENT"}):
            pass
    # All ten have ended, and nobody has answered yet.
    assert server.spans == []
    assert provider.force_flush(100) is False
    server.speak()
    assert len(delivered(provider, server)) == 10


def test_otel_defect_09_a_failure_in_the_beginning_spoils_nothing_that_follows(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    server.respond(503, {"Retry-After": "0"})
    with tracer.start_as_current_span("agent", attributes={"openinference.span.kind": "AGENT"}):
        tracer.start_span("first", attributes=AI).end()
        server.wait_for_requests(2)  # refused, and sent again
        tracer.start_span("second", attributes=AI).end()
    spans = delivered(provider, server)
    assert set(spans) == {"agent", "first", "second"}
    assert {spans[name]["parent_span_id"] for name in ("first", "second")} == {spans["agent"]["span_id"]}
    assert sentrial.stats() == {f"Sentrial {server.url}": {"stored": 3}}


def test_otel_defect_10_tokens_arrive_where_they_were_written_and_no_sum_is_added(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    usage = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10}
    agent = {"gen_ai.operation.name": "invoke_agent", **usage}
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", **usage}
    with tracer.start_as_current_span("invoke_agent", attributes=agent):
        tracer.start_span("chat m", attributes=call).end()
    spans = delivered(provider, server)
    assert {name: span["attributes"] for name, span in spans.items()} == {"invoke_agent": agent, "chat m": call}


def test_otel_defect_11_times_and_parents_are_on_the_wire(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    agent = tracer.start_span("agent", attributes={"openinference.span.kind": "AGENT"}, start_time=1_000)
    call = tracer.start_span(
        "call", set_span_in_context(agent), attributes=AI, start_time=2_000
    )  # fmt: skip
    call.end(2_500)
    agent.end(4_000)
    spans = delivered(provider, server)
    assert {name: (span["start_ns"], span["end_ns"]) for name, span in spans.items()} == {
        "agent": (1_000, 4_000),
        "call": (2_000, 2_500),
    }
    assert spans["call"]["parent_span_id"] == spans["agent"]["span_id"]


@pytest.mark.parametrize("name", ["generate_invoice_pdf", "chat_widget.render", "embed_fonts", "llm", "completion"])
def test_otel_defect_12_a_name_makes_no_ai_span(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn, name: str
) -> None:
    tracer.start_span(name, attributes={"invoice.number": 7}).end()
    assert delivered(provider, server) == {}
    assert server.requests == []


def test_otel_defect_13_threads_that_work_on_one_trace_make_one_session(
    provider: TracerProvider, tracer: Tracer, server: SentrialStandIn
) -> None:
    together = threading.Barrier(8)

    def work(number: int, root: trace.Span) -> None:
        together.wait(10)
        for call in range(25):
            with tracer.start_as_current_span(f"GET {number}.{call}", set_span_in_context(root)):
                tracer.start_span(f"call {number}.{call}", attributes=AI).end()

    with tracer.start_as_current_span("agent", attributes={"openinference.span.kind": "AGENT"}) as root:
        threads = [threading.Thread(target=work, args=(number, root)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    spans = delivered(provider, server)
    assert len(spans) == 201
    agent = spans.pop("agent")
    assert {(span["trace_id"], span["parent_span_id"]) for span in spans.values()} == {
        (agent["trace_id"], agent["span_id"])
    }


def test_otel_defect_14_what_we_send_is_not_traced_and_sent_again(server: SentrialStandIn) -> None:
    provider = provider_with(SentrialSpanProcessor(api_key=KEY, api_url=server.url, filter_ai_spans=False))
    instrumentor = RequestsInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        requests.post(server.url, data=b"", timeout=5).close()
        assert set(delivered(provider, server)) == {"POST"}
        assert provider.force_flush(10_000)
        assert [span["name"] for span in server.spans] == ["POST"]
    finally:
        instrumentor.uninstrument()
