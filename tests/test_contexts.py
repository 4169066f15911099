"""Sessions across tasks, threads and executors: many at once, cancelled, timed out, shielded, ended out of order."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import trace

import sentrial
from receivers import SentrialStandIn
from running import Span, arrived, id_of, is_current, links_of, session_of
from sentrial import Interaction

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def query(name: str) -> None:
    """What any instrumentation does: a span in whatever is current."""
    trace.get_tracer("db").start_span(name).end()


# --- cells of a notebook, each a task of its own ----------------------------------------------------------------------


async def test_a_session_of_a_notebook_is_current_in_the_cells_that_say_so(server: SentrialStandIn) -> None:
    begun: list[Interaction] = []

    async def first() -> None:
        with sentrial.begin("u", "one cell"):
            query("SELECT whole")

    async def second() -> None:
        begun.append(sentrial.begin("u", "three cells"))

    async def third() -> None:
        query("SELECT lost")
        with sentrial.attach(begun[0].session_id):
            query("SELECT attached")

    async def fourth() -> None:
        begun[0].finish(output="done")

    for cell in (first, second, third, fourth):
        await asyncio.create_task(cell())
    spans = arrived(server)
    assert set(spans) == {"invoke_agent one cell", "SELECT whole", "invoke_agent three cells", "SELECT attached"}
    assert session_of(spans["SELECT whole"]) == id_of(spans["invoke_agent one cell"])
    assert session_of(spans["SELECT attached"]) == id_of(spans["invoke_agent three cells"])


# --- many at once ----------------------------------------------------------------------------------------------------


def assert_apart(spans: list[Span], per_session: Counter[str]) -> None:
    """Each of fifty sessions has these spans and no other, in a trace of its own, with its own user's name on all."""
    roots = [span for span in spans if span["name"] == "invoke_agent agent"]
    assert len({root["trace_id"] for root in roots}) == 50
    users = set()
    for root in roots:
        own = [span for span in spans if session_of(span) == id_of(root)]
        users |= {user := root["attributes"]["user.id"]}
        assert {span["trace_id"] for span in own} == {root["trace_id"]}
        assert {span["attributes"]["user.id"] for span in own} == {user}
        assert Counter(span["name"] for span in own) == per_session
        marks = {span["attributes"].get("mark") for span in own if span["name"].startswith("SELECT")}
        assert marks == {user}
        by_id = {span["span_id"]: span["name"] for span in own}
        assert {by_id[span["parent_span_id"]] for span in own if span["name"] == "SELECT"} == {"execute_tool search"}
    assert users == {f"user{number}" for number in range(50)}
    assert len(spans) == 50 * per_session.total()


def work(session: Interaction, user: str) -> None:
    with session.tool("search"), trace.get_tracer("db").start_as_current_span("SELECT") as span:
        span.set_attribute("mark", user)


def test_fifty_sessions_that_share_an_executor_stay_apart(server: SentrialStandIn) -> None:
    all_open = threading.Barrier(50)
    with ThreadPoolExecutor(50) as callers, ThreadPoolExecutor(4) as workers:

        def serve(number: int) -> None:
            with sentrial.begin(f"user{number}", "agent") as session:
                all_open.wait(30)
                futures = [workers.submit(work, session, f"user{number}") for _ in range(2)]
                list(workers.map(lambda _: work(session, f"user{number}"), range(2)))
                for future in futures:
                    future.result()
            assert is_current(None)

        for done in [callers.submit(serve, number) for number in range(50)]:
            done.result(60)
        assert all(workers.map(lambda _: is_current(None), range(16)))
    assert sentrial.flush(20)
    assert_apart(server.spans, Counter({"invoke_agent agent": 1, "execute_tool search": 4, "SELECT": 4}))


async def test_fifty_sessions_of_one_loop_that_share_threads_stay_apart(server: SentrialStandIn) -> None:
    opened = []
    all_open = asyncio.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(4))

    async def serve(number: int) -> None:
        with sentrial.begin(f"user{number}", "agent") as session:
            opened.append(number)
            if len(opened) == 50:
                all_open.set()
            await asyncio.wait_for(all_open.wait(), 30)
            loop = asyncio.get_running_loop()
            await asyncio.gather(
                asyncio.to_thread(work, session, f"user{number}"),
                loop.run_in_executor(None, work, session, f"user{number}"),
            )
            thread = threading.Thread(target=work, args=(session, f"user{number}"))
            thread.start()
            await asyncio.to_thread(thread.join)
        assert is_current(None)

    await asyncio.gather(*map(serve, range(50)))
    assert sentrial.flush(20)
    assert_apart(server.spans, Counter({"invoke_agent agent": 1, "execute_tool search": 3, "SELECT": 3}))


# --- cancelled, timed out, shielded ----------------------------------------------------------------------------------


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_a_cancelled_task_leaves_its_tool_and_the_session_goes_on(server: SentrialStandIn) -> None:
    inside = asyncio.Event()

    with sentrial.begin("u", "agent") as session:

        async def run() -> None:
            async with session.tool("slow"), session.llm("m", provider="openai"):
                inside.set()
                await for_ever()

        task = asyncio.create_task(run())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert is_current(session.session_id)
        query("SELECT")
    spans = arrived(server)
    root = spans["invoke_agent agent"]
    assert spans["SELECT"]["parent_span_id"] == root["span_id"]
    assert spans["execute_tool slow"]["parent_span_id"] == root["span_id"]
    assert spans["chat m"]["parent_span_id"] == spans["execute_tool slow"]["span_id"]
    assert [spans[name]["status_code"] for name in ("invoke_agent agent", "execute_tool slow", "chat m")] == [0, 0, 0]
    assert root["attributes"]["sentrial.session.outcome"] == "completed"


async def test_a_timeout_ends_the_tool_it_cuts_off(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "agent") as session:

        async def run() -> None:
            async with session.tool("slow"):
                await for_ever()

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(run(), 0.01)
        assert is_current(session.session_id)
        assert trace.get_current_span().get_span_context().span_id == int(session.session_id[33:], 16)
        query("SELECT")
    spans = arrived(server)
    assert spans["SELECT"]["parent_span_id"] == spans["invoke_agent agent"]["span_id"]
    assert spans["execute_tool slow"]["status_code"] == 0


async def test_a_timeout_around_a_session_cancels_it(server: SentrialStandIn) -> None:
    async def run() -> None:
        with sentrial.begin("u", "agent") as session:
            async with session.tool("slow"):
                await for_ever()

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(run(), 0.01)
    assert is_current(None)
    spans = arrived(server)
    root = spans["invoke_agent agent"]
    assert (root["attributes"]["sentrial.session.outcome"], root["status_code"]) == ("cancelled", 0)
    assert spans["execute_tool slow"]["parent_span_id"] == root["span_id"]


async def test_shielded_work_stays_in_the_session_while_it_is_open(server: SentrialStandIn) -> None:
    gate, finished = asyncio.Event(), asyncio.Event()

    with sentrial.begin("u", "agent") as session:

        async def run() -> None:
            async with session.tool("shielded"):
                await gate.wait()
                query("SELECT")
            finished.set()

        waiting = asyncio.create_task(asyncio.wait_for(asyncio.shield(run()), 0.01))
        with pytest.raises(asyncio.TimeoutError):
            await waiting
        gate.set()
        await finished.wait()
    spans = arrived(server)
    assert spans["execute_tool shielded"]["parent_span_id"] == spans["invoke_agent agent"]["span_id"]
    assert spans["SELECT"]["parent_span_id"] == spans["execute_tool shielded"]["span_id"]


async def test_a_timeout_leaves_the_thread_to_finish_its_tool(server: SentrialStandIn) -> None:
    began, gate, finished = threading.Event(), threading.Event(), threading.Event()

    def run(session: Interaction) -> None:
        began.set()
        with session.tool("slow"):
            gate.wait(30)
            query("SELECT")
        finished.set()

    with sentrial.begin("u", "agent") as session:
        # One that no thread has taken up yet would be cancelled, and never run.
        running = asyncio.create_task(asyncio.to_thread(run, session))
        assert await asyncio.to_thread(began.wait, 30)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(running, 0.01)
        query("SELECT meanwhile")
        gate.set()
        assert await asyncio.to_thread(finished.wait, 30)
    spans = arrived(server)
    assert spans["SELECT meanwhile"]["parent_span_id"] == spans["invoke_agent agent"]["span_id"]
    assert spans["SELECT"]["parent_span_id"] == spans["execute_tool slow"]["span_id"]
    assert spans["execute_tool slow"]["parent_span_id"] == spans["invoke_agent agent"]["span_id"]


# --- nested, crossed, forgotten, over threads ------------------------------------------------------------------------


def test_a_session_begun_in_a_worker_is_a_sub_agent_of_the_block_that_submitted_it(server: SentrialStandIn) -> None:
    def sub_agent() -> str:
        with sentrial.begin("u", "inner") as inner:
            query("SELECT")
            return inner.session_id

    with ThreadPoolExecutor(1) as pool, sentrial.begin("u", "outer") as outer, outer.tool("delegate"):
        assert pool.submit(sub_agent).result() == outer.session_id
    spans = arrived(server)
    assert spans["invoke_agent inner"]["parent_span_id"] == spans["execute_tool delegate"]["span_id"]
    assert spans["SELECT"]["parent_span_id"] == spans["invoke_agent inner"]["span_id"]
    assert {session_of(span) for span in spans.values()} == {outer.session_id}


@pytest.mark.parametrize(("user", "block"), [("other", True), ("u", False)])
def test_a_session_begun_in_a_worker_is_its_own_where_it_would_be_without_a_worker(
    server: SentrialStandIn, user: str, block: bool
) -> None:
    def begin() -> str:
        with sentrial.begin(user, "inner") as inner:
            return inner.session_id

    outer = sentrial.begin("u", "outer")
    if block:
        outer.__enter__()
    with ThreadPoolExecutor(1) as pool:
        inner_id = pool.submit(begin).result()
    outer.finish()
    spans = arrived(server)
    inner = spans["invoke_agent inner"]
    assert (id_of(inner), inner["parent_span_id"]) == (inner_id, None)
    assert inner_id != outer.session_id
    assert links_of(inner) == [("caller", outer.session_id)]


def test_sessions_that_workers_end_crosswise_leave_nothing_current_anywhere(server: SentrialStandIn) -> None:
    with ThreadPoolExecutor(2) as pool:
        first = sentrial.begin("u", "first")
        second = sentrial.begin("u", "second")
        assert pool.submit(is_current, second.session_id).result()
        pool.submit(first.finish).result()
        assert is_current(second.session_id)
        pool.submit(second.finish).result()
        assert is_current(None)
        assert all(pool.map(lambda _: is_current(None), range(4)))
        query("SELECT of nobody")
        third = sentrial.begin("u", "third")
        third.finish()
        assert not trace.get_current_span().get_span_context().is_valid
    spans = arrived(server)
    assert set(spans) == {"invoke_agent first", "invoke_agent second", "invoke_agent third"}
    assert links_of(spans["invoke_agent third"]) == []


def test_a_session_forgotten_in_a_thread_adopts_nobody(server: SentrialStandIn) -> None:
    forgotten = []
    with sentrial.begin("u", "outer") as outer:
        thread = threading.Thread(target=lambda: forgotten.append(sentrial.begin("u", "forgotten")))
        thread.start()
        thread.join()
        assert is_current(outer.session_id)
        query("SELECT")
    assert is_current(None)
    with sentrial.begin("u", "next"):
        pass
    sentrial.shutdown()
    spans = {span["name"]: span for span in server.spans}
    assert set(spans) == {"invoke_agent outer", "SELECT", "invoke_agent forgotten", "invoke_agent next"}
    assert session_of(spans["SELECT"]) == outer.session_id
    assert spans["invoke_agent next"]["parent_span_id"] is None
    assert links_of(spans["invoke_agent next"]) == []
    assert spans["invoke_agent forgotten"]["attributes"]["sentrial.session.outcome"] == "abandoned"
    assert forgotten
