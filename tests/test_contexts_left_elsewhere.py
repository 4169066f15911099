"""What is left elsewhere than it was entered, or out of order, is current nowhere afterwards."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator, Iterator

import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context

import sentrial
from receivers import SentrialStandIn
from running import arrived, is_current, session_of
from sentrial import Interaction

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def nothing_is_current() -> bool:
    return is_current(None) and not trace.get_current_span().get_span_context().is_valid


def agent() -> Generator[None, None, None]:
    with sentrial.begin("u", "agent"):
        yield


async def async_agent() -> AsyncGenerator[None, None]:
    async with sentrial.begin("u", "agent") as session, session.tool("search"):
        yield


def tool(session: Interaction, name: str) -> Generator[None, None, None]:
    with session.tool(name):
        yield


async def test_a_generator_that_another_task_closes(server: SentrialStandIn) -> None:
    with trace.get_tracer("web").start_as_current_span("request") as request:
        items = async_agent()
        await anext(items)
        assert not is_current(None)
        await asyncio.create_task(items.aclose())
        assert is_current(None)
        assert trace.get_current_span() is request
    assert nothing_is_current()


def test_a_generator_that_another_thread_closes(server: SentrialStandIn) -> None:
    items = agent()
    next(items)
    thread = threading.Thread(target=items.close)
    thread.start()
    thread.join()
    assert nothing_is_current()


async def test_a_session_that_a_child_task_finishes(server: SentrialStandIn) -> None:
    with trace.get_tracer("web").start_as_current_span("request") as request:
        session = sentrial.begin("u", "agent")

        async def end() -> None:
            session.finish()
            assert trace.get_current_span() is request

        await asyncio.create_task(end())
        assert trace.get_current_span() is request
    assert nothing_is_current()


def test_tools_that_end_in_the_order_in_which_they_began(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "agent") as session:
        root = trace.get_current_span()
        first, second = tool(session, "first"), tool(session, "second")
        next(first)
        next(second)
        first.close()
        trace.get_tracer("db").start_span("SELECT in second").end()
        second.close()
        assert trace.get_current_span() is root
        trace.get_tracer("db").start_span("SELECT").end()
    assert nothing_is_current()
    spans = arrived(server)
    assert spans["SELECT in second"]["parent_span_id"] == spans["execute_tool second"]["span_id"]
    assert spans["SELECT"]["parent_span_id"] == spans["invoke_agent agent"]["span_id"]


def test_a_session_that_ends_before_a_span_of_the_programs_inside_it(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent")
    with trace.get_tracer("app").start_as_current_span("step"):
        session.finish()
    assert nothing_is_current()


def test_a_session_that_ends_before_its_tool(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent")
    with session.tool("last"):
        session.finish()
        trace.get_tracer("db").start_span("SELECT").end()
    assert nothing_is_current()
    assert set(arrived(server)) == {"invoke_agent agent", "execute_tool last"}


async def test_work_that_outlives_a_tool_still_nests_in_it(server: SentrialStandIn) -> None:
    gate = asyncio.Event()

    async def late() -> None:
        await gate.wait()
        trace.get_tracer("db").start_span("SELECT").end()

    with sentrial.begin("u", "agent") as session:
        with session.tool("search"):
            task = asyncio.create_task(late())
            await asyncio.sleep(0)
        gate.set()
        await task
    spans = arrived(server)
    assert spans["SELECT"]["parent_span_id"] == spans["execute_tool search"]["span_id"]
    assert session_of(spans["SELECT"]) == session.session_id


def test_what_the_program_has_put_into_the_context_stays(server: SentrialStandIn) -> None:
    token = otel_context.attach(baggage.set_baggage("tenant", "t1"))
    items = agent()
    next(items)
    thread = threading.Thread(target=items.close)
    thread.start()
    thread.join()
    assert baggage.get_baggage("tenant") == "t1"
    otel_context.detach(token)
    assert otel_context.get_current() == {}
