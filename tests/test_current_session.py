"""Which session is current, and that none is that has ended."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator

import pytest
from opentelemetry import trace

import sentrial
from receivers import SentrialStandIn
from running import arrived, is_current, links_of, session_of
from sentrial import SentrialClient, _session

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


@pytest.fixture
def client(server: SentrialStandIn) -> SentrialClient:
    return SentrialClient(api_key=KEY, api_url=server.url)


def test_create_session_makes_nothing_current(server: SentrialStandIn, client: SentrialClient) -> None:
    before = trace.get_current_span()
    session_id = client.create_session("n", "agent", "u")
    assert is_current(None)
    assert trace.get_current_span() is before
    trace.get_tracer("db").start_span("SELECT").end()
    client.complete_session(session_id)
    assert set(arrived(server)) == {"invoke_agent agent"}


def test_begin_makes_current_until_finish(server: SentrialStandIn) -> None:
    before = trace.get_current_span()
    session = sentrial.begin("u", "agent")
    assert is_current(session.session_id)
    assert _session.format_id(trace.get_current_span().get_span_context()) == session.session_id
    session.finish()
    assert is_current(None)
    assert trace.get_current_span() is before


def test_sessions_that_end_crosswise_leave_nothing_current(server: SentrialStandIn) -> None:
    before = trace.get_current_span()
    first = sentrial.begin("u", "first")
    second = sentrial.begin("u", "second")
    first.finish()
    assert is_current(second.session_id)
    second.finish()
    assert is_current(None)
    assert trace.get_current_span() is before
    trace.get_tracer("db").start_span("SELECT").end()
    third = sentrial.begin("u", "third")
    third.finish()
    spans = arrived(server)
    assert set(spans) == {"invoke_agent first", "invoke_agent second", "invoke_agent third"}
    assert links_of(spans["invoke_agent third"]) == []


def test_three_sessions_that_end_in_the_order_in_which_they_began_leave_nothing_current(
    server: SentrialStandIn,
) -> None:
    before = trace.get_current_span()
    sessions = [sentrial.begin("u", f"agent{number}") for number in range(3)]
    for session in sessions:
        session.finish()
    assert is_current(None)
    assert trace.get_current_span() is before


def test_a_session_that_ends_on_another_thread_is_current_nowhere(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent")
    worker = threading.Thread(target=session.finish)
    worker.start()
    worker.join()
    assert is_current(None)
    trace.get_tracer("db").start_span("SELECT").end()
    with sentrial.begin("u", "next") as following:
        assert is_current(following.session_id)
    assert is_current(None)
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "invoke_agent next"}
    assert links_of(spans["invoke_agent next"]) == []


async def test_a_session_that_ends_in_another_task_is_current_nowhere(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent")

    async def end() -> None:
        session.finish()
        assert is_current(None)

    await asyncio.create_task(end())
    assert is_current(None)
    trace.get_tracer("db").start_span("SELECT").end()
    assert set(arrived(server)) == {"invoke_agent agent"}


def test_a_worker_born_inside_a_session_does_not_serve_it_to_later_work(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent")
    inside = contextvars.copy_context()

    def work(name: str) -> None:
        trace.get_tracer("db").start_span(name).end()

    inside.run(work, "SELECT during")
    session.finish()
    inside.run(work, "SELECT afterwards")
    assert set(arrived(server)) == {"invoke_agent agent", "SELECT during"}


def test_an_ended_sub_agent_hands_later_work_to_the_session_around_it(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "outer") as outer:
        with sentrial.begin("u", "inner"):
            inside = contextvars.copy_context()
        inside.run(lambda: trace.get_tracer("db").start_span("SELECT").end())
    assert session_of(arrived(server)["SELECT"]) == outer.session_id


def test_by_its_id_a_session_is_made_current_until_it_is_cleared(
    server: SentrialStandIn, client: SentrialClient
) -> None:
    before = trace.get_current_span()
    session_id = client.create_session("n", "agent", "u")
    assert sentrial.get_session_context() is None
    sentrial.set_session_context(session_id, client)
    assert sentrial.get_session_context() == sentrial.get_current_session_id() == session_id
    assert sentrial.get_current_client() is client
    trace.get_tracer("db").start_span("SELECT").end()
    found = sentrial.get_current_interaction()
    assert found is not None
    assert (found.session_id, found.event, found.user_id, found.client) == (session_id, "agent", "u", client)
    assert sentrial.get_current_interaction() is found
    sentrial.clear_session_context()
    sentrial.clear_session_context()
    assert (sentrial.get_session_context(), sentrial.get_current_interaction()) == (None, None)
    assert trace.get_current_span() is before
    assert client.complete_session(session_id)["status"] == "completed"
    assert session_of(arrived(server)["SELECT"]) == session_id


def test_clearing_ends_nothing_and_leaves_every_session_around(server: SentrialStandIn) -> None:
    with trace.get_tracer("web").start_as_current_span("GET /") as request:
        outer = sentrial.begin("u", "outer")
        inner = sentrial.begin("u", "inner")
        with inner.tool("t"):
            sentrial.clear_session_context()
            assert is_current(None)
            assert trace.get_current_span() is request
        assert trace.get_current_span() is request
    assert (inner.finish()["status"], outer.finish()["status"]) == ("completed", "completed")


def test_the_interaction_that_is_current_is_the_one_that_was_begun(server: SentrialStandIn) -> None:
    other = SentrialClient(api_key=KEY, api_url=server.url)
    assert sentrial.get_current_interaction() is None
    default = sentrial.get_current_client()
    with other.begin("u", "agent") as session:
        assert sentrial.get_current_interaction() is session
        assert sentrial.get_current_client() is other
        with session.tool("t"):
            assert sentrial.get_current_interaction() is session
    assert sentrial.get_current_client() is default is not other


async def test_what_a_task_makes_current_stays_in_it(server: SentrialStandIn, client: SentrialClient) -> None:
    ids = [client.create_session("n", f"agent{n}", "u") for n in range(5)]

    async def work(session_id: str) -> str | None:
        sentrial.set_session_context(session_id)
        await asyncio.sleep(0.01)
        return sentrial.get_current_session_id()

    assert await asyncio.gather(*map(work, ids)) == ids
    assert is_current(None)


def test_a_session_begun_on_another_thread_is_current_in_its_block(server: SentrialStandIn) -> None:
    begun: list[sentrial.Interaction] = []
    thread = threading.Thread(target=lambda: begun.append(sentrial.begin("u", "agent")))
    thread.start()
    thread.join()
    assert is_current(None)
    with begun[0] as session:
        assert is_current(session.session_id)
    assert is_current(None)


def test_what_is_no_session_id_changes_nothing(server: SentrialStandIn, caplog: pytest.LogCaptureFixture) -> None:
    with sentrial.begin("u", "agent") as session:
        sentrial.set_session_context("nonsense")
        sentrial.set_session_context(None)
        assert is_current(session.session_id)
    (said,) = [record.message for record in caplog.records if record.name == "sentrial"]
    assert "'nonsense' is no session id" in said
