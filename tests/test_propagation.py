"""inject and extract: what crosses, what it changes, and what becomes of carriers that are none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link

import sentrial
from receivers import SentrialStandIn
from running import arrived, id_of, is_current, session_of
from sentrial.propagation import extract, inject

KEY = "sentrial_test_key"

STRANGER = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def plain_span(name: str = "SELECT") -> None:
    trace.get_tracer("db").start_span(name).end()


def sent(user: str | None = "u1") -> tuple[sentrial.Interaction, dict[str, str]]:
    """A session that sent a message while a tool of it ran, and the message's headers."""
    headers: dict[str, str] = {}
    with sentrial.begin(user, "agent", convo_id="c1") as session, session.tool("send"):
        inject(headers)
    return session, headers


def test_what_is_done_for_a_message_belongs_to_the_session_that_sent_it_under_the_tool_that_did(
    server: SentrialStandIn,
) -> None:
    session, headers = sent()
    assert set(headers) == {"traceparent", "baggage"}
    with extract(headers, trust=True) as received:
        assert (received.found, received.session_id) == (True, session.session_id)
        assert is_current(session.session_id)
        assert sentrial.get_current_session_id() == session.session_id
        plain_span()
        with received.llm("model", provider="test"):
            plain_span("INSERT")
    assert is_current(None)
    received.track_error("too late to nest")
    spans = arrived(server)
    tool, model = spans["execute_tool send"], spans["chat model"]
    root = spans["invoke_agent agent"]
    assert {name: span["parent_span_id"] for name, span in spans.items()} == {
        "invoke_agent agent": None,
        "execute_tool send": root["span_id"],
        "SELECT": tool["span_id"],
        "chat model": tool["span_id"],
        "INSERT": model["span_id"],
        "error": root["span_id"],
    }
    for span in spans.values():
        assert (span["trace_id"], session_of(span)) == (root["trace_id"], id_of(root))
        assert (span["attributes"]["user.id"], span["attributes"]["session.id"]) == ("u1", "c1")
    assert root["attributes"]["sentrial.session.outcome"] == "completed"


async def test_async_with_does_the_same(server: SentrialStandIn) -> None:
    session, headers = sent()
    async with extract(headers, trust=True) as received:
        await asyncio.gather(*[asyncio.to_thread(plain_span, f"SELECT {n}") for n in range(2)])
        assert received.found
    assert is_current(None)
    spans = arrived(server)
    assert {session_of(spans[f"SELECT {n}"]) for n in range(2)} == {session.session_id}


def test_without_trust_the_trace_comes_along_and_the_session_does_not(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sentrial")
    session, headers = sent()
    for _ in range(2):
        with extract(headers) as received:
            assert not received.found
            assert received.session_id != session.session_id
            assert is_current(None)
            assert trace.get_current_span().get_span_context().trace_id == int(session.session_id[:32], 16)
            plain_span()
            assert "sentrial.session" not in baggage.get_all()
    (said,) = [record.message for record in caplog.records if "by baggage" in record.message]
    assert "SENTRIAL_TRUST_INCOMING" in said
    assert set(arrived(server)) == {"invoke_agent agent", "execute_tool send"}


def test_the_setting_says_whether_a_session_is_believed_and_the_argument_beats_it(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, trust_incoming=True)
    session, headers = sent()
    assert extract(headers).session_id == session.session_id
    assert not extract(headers, trust=False).found
    sentrial.configure(api_key=KEY, api_url=server.url)
    assert not extract(headers).found


def test_without_a_session_the_trace_alone_goes(server: SentrialStandIn) -> None:
    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
    headers: dict[str, str] = {}
    inject(headers)
    assert headers == {}
    with trace.get_tracer("web").start_as_current_span("GET /") as span:
        inject(headers)
    assert set(headers) == {"traceparent"}
    with extract(headers, trust=True) as received:
        assert not received.found
        assert trace.get_current_span().get_span_context().span_id == span.get_span_context().span_id
        with sentrial.begin("u1", "agent") as session:
            pass
    root = arrived(server)["invoke_agent agent"]
    assert (root["parent_span_id"], root["trace_id"]) == (None, session.session_id[:32])
    assert [link["span_id"] for link in root["links"]] == [headers["traceparent"][36:52]]


def test_an_empty_carrier_changes_nothing(server: SentrialStandIn) -> None:
    for carrier in ({}, [], None, {"content-type": "text/plain"}):
        with sentrial.begin("u1", "around") as around:
            with extract(carrier, trust=True) as received:
                assert not received.found
                assert received.session_id == around.session_id
                assert is_current(around.session_id)
                with received.tool("t"):
                    pass
            assert is_current(around.session_id)
    assert sentrial.flush(10)
    assert len(server.spans) == 8
    assert len({session_of(span) for span in server.spans}) == 4


def test_a_message_of_a_stranger_is_no_work_of_the_session_that_reads_it(server: SentrialStandIn) -> None:
    with sentrial.begin("u1", "consumer") as consumer:
        with extract(STRANGER, trust=True) as received:
            assert is_current(None)
            assert received.session_id != consumer.session_id
            plain_span()
            with sentrial.begin("u1", "worker") as worker:
                plain_span("INSERT")
        assert is_current(consumer.session_id)
    spans = arrived(server)
    assert set(spans) == {"invoke_agent consumer", "invoke_agent worker", "INSERT"}
    # No sub-agent: the block that it began in is no block of the consumer's.
    assert session_of(spans["invoke_agent worker"]) == worker.session_id != consumer.session_id
    assert [link["trace_id"] for link in spans["invoke_agent worker"]["links"]] == [STRANGER["traceparent"][3:35]]


def test_events_added_where_no_session_came_along_are_not_lost(server: SentrialStandIn) -> None:
    received = extract(STRANGER, trust=True)
    received.track_tool_call("t", {}, {})
    (span,) = arrived(server).values()
    assert session_of(span) == received.session_id
    assert STRANGER["traceparent"][3:35] not in received.session_id


def test_a_consumer_in_a_session_of_its_own_serves_the_senders(server: SentrialStandIn) -> None:
    first, headers = sent("u1")
    with sentrial.begin("u2", "consumer") as consumer:
        with extract(headers, trust=True):
            plain_span()
            assert is_current(first.session_id)
        assert is_current(consumer.session_id)
        plain_span("COMMIT")
    spans = arrived(server)
    assert (session_of(spans["SELECT"]), spans["SELECT"]["attributes"]["user.id"]) == (first.session_id, "u1")
    assert session_of(spans["COMMIT"]) == consumer.session_id


def test_a_session_for_the_same_user_is_a_sub_agent_of_the_one_that_came_along(server: SentrialStandIn) -> None:
    session, headers = sent()
    with extract(headers, trust=True):
        with sentrial.begin("u1", "expert"):
            pass
        with sentrial.begin("u2", "stranger") as stranger:
            pass
    spans = arrived(server)
    assert spans["invoke_agent expert"]["parent_span_id"] == spans["execute_tool send"]["span_id"]
    assert session_of(spans["invoke_agent expert"]) == session.session_id
    assert spans["invoke_agent stranger"]["parent_span_id"] is None
    assert session_of(spans["invoke_agent stranger"]) == stranger.session_id


def test_it_can_be_cleared_in_the_block_and_the_trace_stays(server: SentrialStandIn) -> None:
    session, headers = sent()
    with extract(headers, trust=True):
        sentrial.clear_session_context()
        assert is_current(None)
        assert trace.get_current_span().get_span_context().trace_id == int(session.session_id[:32], 16)
        plain_span()
    assert set(arrived(server)) == {"invoke_agent agent", "execute_tool send"}


def test_a_session_goes_on_to_a_third_process(server: SentrialStandIn) -> None:
    session, headers = sent()
    second: dict[str, str] = {}
    with extract(headers, trust=True) as received, received.tool("pass_on"):
        inject(second)
    with extract(second, trust=True) as third:
        assert third.session_id == session.session_id
        plain_span()
    spans = arrived(server)
    assert spans["SELECT"]["parent_span_id"] == spans["execute_tool pass_on"]["span_id"]
    assert spans["SELECT"]["attributes"]["user.id"] == "u1"


def test_work_in_another_trace_than_its_sessions_brings_the_session_along(server: SentrialStandIn) -> None:
    headers: dict[str, str] = {}
    tracer = trace.get_tracer("queue")
    with sentrial.begin("u1", "agent") as session:
        current = otel_context.get_current()
        apart = tracer.start_span("send", trace.set_span_in_context(trace.INVALID_SPAN, current), links=[])
        with trace.use_span(apart, end_on_exit=True):
            inject(headers)
    assert headers["traceparent"][3:35] != session.session_id[:32]
    with extract(headers, trust=True) as received:
        assert received.session_id == session.session_id
        plain_span()
    spans = arrived(server)
    assert {session_of(span) for span in spans.values()} == {session.session_id}
    assert {span["trace_id"] for span in spans.values()} == {session.session_id[:32]}


def test_baggage_of_the_application_crosses_beside_the_session(server: SentrialStandIn) -> None:
    headers: dict[str, str] = {}
    token = otel_context.attach(baggage.set_baggage("tier", "gold, paid"))
    with sentrial.begin("u1", "agent") as session:
        inject(headers)
        assert dict(baggage.get_all()) == {"tier": "gold, paid"}
    otel_context.detach(token)
    with extract(headers, trust=True) as received:
        assert received.session_id == session.session_id
        assert dict(baggage.get_all()) == {"tier": "gold, paid"}


def test_a_session_too_long_for_baggage_goes_by_its_id(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    headers: dict[str, str] = {}
    with sentrial.begin("ü" * 1_000, "a" * 900, convo_id="c") as session:
        inject(headers)
    with extract(headers, trust=True) as received:
        assert received.session_id == session.session_id
        plain_span()
    (said,) = [record.message for record in caplog.records if "too long to travel" in record.message]
    assert "its id travels alone" in said
    span = arrived(server)["SELECT"]
    assert session_of(span) == session.session_id


# --- where we are not wanted, or not yet there -----------------------------------------------------------------------


def test_switched_off_the_trace_crosses_and_nothing_of_ours() -> None:
    sentrial.configure(enabled=False, trust_incoming=True)
    with extract({**STRANGER, "baggage": "sentrial.session=x,tier=gold"}) as received:
        assert not received.found
        assert trace.get_current_span().get_span_context().trace_id == int(STRANGER["traceparent"][3:35], 16)
        assert dict(baggage.get_all()) == {"tier": "gold"}
        received.track_tool_call("t", {}, {})
        again: dict[str, str] = {}
        inject(again)
    assert again == {**STRANGER, "baggage": "tier=gold"}


def test_to_inject_nothing_sets_nothing_up() -> None:
    from sentrial import _setup

    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
    headers: dict[str, str] = {}
    with trace.get_tracer("web").start_as_current_span("GET /", links=[Link(trace.INVALID_SPAN.get_span_context())]):
        inject(headers)
    assert set(headers) == {"traceparent"}
    assert not _setup.is_set_up()


def test_more_sessions_than_are_remembered_come_in_at_once_and_each_keeps_its_spans(server: SentrialStandIn) -> None:
    messages = []
    for n in range(1_050):
        headers: dict[str, str] = {}
        with sentrial.begin(f"u{n}", "agent"):
            inject(headers)
        messages.append(headers)
    assert sentrial.flush(60)
    under_way = []
    for headers in messages:
        received = extract(headers, trust=True)
        with received:
            under_way.append((received, trace.get_tracer("db").start_span("SELECT")))
    for _, span in under_way:
        span.end()
    assert sentrial.flush(60)
    queries = [span for span in server.spans if span["name"] == "SELECT"]
    assert len({session_of(span) for span in queries}) == len(queries) == 1_050
