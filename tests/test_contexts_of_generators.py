"""What a generator that holds a session or a tool across a ``yield`` does to its consumer.

Python gives a generator no context of its own: what its body makes current is current for the consumer too, until the
body is left. (The decorators take theirs off at each ``yield``; a plain ``with`` in a body cannot.)
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import AsyncGenerator, Generator, Iterator

import pytest
from opentelemetry import trace

import sentrial
from receivers import SentrialStandIn
from running import arrived, id_of, is_current, links_of, session_of
from sentrial import Interaction

KEY = "sentrial_test_key"
OUTCOME = "sentrial.session.outcome"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def query(name: str) -> None:
    trace.get_tracer("db").start_span(name).end()


def agent(name: str = "agent") -> Generator[str, None, None]:
    with sentrial.begin("u", name) as session:
        yield session.session_id
        query(f"SELECT in {name}")
        yield session.session_id


async def async_agent(name: str = "agent") -> AsyncGenerator[str, None]:
    with sentrial.begin("u", name) as session:
        yield session.session_id
        query(f"SELECT in {name}")
        yield session.session_id


def test_what_the_consumer_does_between_two_items_lands_in_the_session_and_after_the_last_not(
    server: SentrialStandIn,
) -> None:
    before = trace.get_current_span()
    for session_id in agent():
        assert is_current(session_id)
    assert is_current(None)
    assert trace.get_current_span() is before
    query("SELECT of nobody")
    assert set(arrived(server)) == {"invoke_agent agent", "SELECT in agent"}


def test_a_generator_that_is_broken_off_leaves_its_consumer_as_it_was(server: SentrialStandIn) -> None:
    before = trace.get_current_span()
    items = agent()
    for session_id in items:
        assert is_current(session_id)
        break
    items.close()
    assert is_current(None)
    assert trace.get_current_span() is before
    root = arrived(server)["invoke_agent agent"]
    assert root["attributes"][OUTCOME] == "cancelled"


def test_a_generator_that_is_dropped_leaves_its_consumer_as_it_was(server: SentrialStandIn) -> None:
    before = trace.get_current_span()
    items = agent()
    next(items)
    del items
    gc.collect()
    assert is_current(None)
    assert trace.get_current_span() is before
    assert arrived(server)["invoke_agent agent"]["attributes"][OUTCOME] == "cancelled"


async def test_the_same_of_async_generators(server: SentrialStandIn) -> None:
    before = trace.get_current_span()
    async for session_id in async_agent("drained"):
        assert is_current(session_id)
    assert trace.get_current_span() is before
    items = async_agent("broken off")
    async for session_id in items:
        assert is_current(session_id)
        break
    await items.aclose()
    assert is_current(None)
    assert trace.get_current_span() is before
    spans = arrived(server)
    outcomes = {name: spans[f"invoke_agent {name}"]["attributes"][OUTCOME] for name in ("drained", "broken off")}
    assert outcomes == {"drained": "completed", "broken off": "cancelled"}


def test_generators_that_are_pulled_in_turn_are_nested_for_they_share_their_consumers_context(
    server: SentrialStandIn,
) -> None:
    before = trace.get_current_span()
    first, second = agent("first"), agent("second")
    session_id = next(first)
    assert next(second) == session_id  # a sub-agent: begun while the first one's block is open
    next(first)
    first.close()
    second.close()
    assert is_current(None)
    assert trace.get_current_span() is before
    spans = arrived(server)
    assert spans["invoke_agent second"]["parent_span_id"] == spans["invoke_agent first"]["span_id"]
    assert spans["SELECT in first"]["parent_span_id"] == spans["invoke_agent second"]["span_id"]


async def test_async_generators_in_tasks_of_their_own_stay_apart(server: SentrialStandIn) -> None:
    async def consume(name: str) -> list[str]:
        ids = []
        async for session_id in async_agent(name):
            await asyncio.sleep(0)
            assert is_current(session_id)
            ids.append(session_id)
        return ids

    names = [f"agent{number}" for number in range(10)]
    for name, (session_id, again) in zip(names, await asyncio.gather(*map(consume, names)), strict=True):
        assert again == session_id
        spans = arrived(server)
        assert id_of(spans[f"invoke_agent {name}"]) == session_id
        assert session_of(spans[f"SELECT in {name}"]) == session_id
    assert is_current(None)


def test_the_state_of_a_consumer_whose_generator_another_thread_closes(server: SentrialStandIn) -> None:
    before = trace.get_current_span()
    items = agent()
    next(items)
    thread = threading.Thread(target=items.close)
    thread.start()
    thread.join()
    assert_over_here(server, before)


async def test_the_state_of_a_consumer_whose_generator_another_task_closes(server: SentrialStandIn) -> None:
    before = trace.get_current_span()
    items = async_agent()
    await anext(items)

    async def close() -> None:
        await items.aclose()
        assert is_current(None)
        assert trace.get_current_span() is before

    await asyncio.create_task(close())
    assert_over_here(server, before)


def assert_over_here(server: SentrialStandIn, before: trace.Span) -> None:
    """The session is over and not current; what begins next knows nothing of it, and leaves all as it was before it."""
    assert is_current(None)
    query("SELECT of nobody")
    with sentrial.begin("u", "next"):
        query("SELECT")
    assert is_current(None)
    assert trace.get_current_span() is before
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "invoke_agent next", "SELECT"}
    assert spans["invoke_agent agent"]["attributes"][OUTCOME] == "cancelled"
    assert (spans["invoke_agent next"]["parent_span_id"], links_of(spans["invoke_agent next"])) == (None, [])


def test_a_generator_with_a_tool_leaves_the_session_current(server: SentrialStandIn) -> None:
    def search(session: Interaction) -> Iterator[int]:
        with session.tool("search"):
            yield from range(3)

    with sentrial.begin("u", "agent") as session:
        root = trace.get_current_span()
        for _ in search(session):
            assert trace.get_current_span() is not root
            break
        gc.collect()
        assert trace.get_current_span() is root
        query("SELECT")
    spans = arrived(server)
    assert spans["SELECT"]["parent_span_id"] == spans["invoke_agent agent"]["span_id"]
    assert spans["execute_tool search"]["status_code"] == 0


async def test_a_context_manager_over_a_tool_that_is_cancelled_inside(server: SentrialStandIn) -> None:
    @contextlib.asynccontextmanager
    async def searching(session: Interaction) -> AsyncGenerator[None, None]:
        async with session.tool("search"):
            yield

    inside = asyncio.Event()

    async def run(session: Interaction) -> None:
        async with searching(session):
            inside.set()
            await asyncio.Event().wait()

    with sentrial.begin("u", "agent") as session:
        root = trace.get_current_span()
        task = asyncio.create_task(run(session))
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert trace.get_current_span() is root
    spans = arrived(server)
    assert spans["execute_tool search"]["parent_span_id"] == spans["invoke_agent agent"]["span_id"]
    assert (spans["execute_tool search"]["status_code"], spans["execute_tool search"]["events"]) == (0, [])
