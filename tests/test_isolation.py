"""Two hundred sessions at once: no span says anything of another session."""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace

import sentrial
from receivers import SentrialStandIn
from sentrial import SentrialClient

KEY = "sentrial_live_0123456789"

EVENTS = {
    "execute_tool live": 2, "execute_tool told": 2, "execute_tool threaded": 1, "decision agent": 1, "chat model": 2,
    "error": 1, "third party": 3, "invoke_agent agent": 1,
}  # fmt: skip
"""What each session sends."""


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url)
        yield stand_in
        sentrial.shutdown(20)


def third_party(mark: str) -> None:
    """What any instrumentation does: a span in whatever is current."""
    with trace.get_tracer("third.party").start_as_current_span("third party") as span:
        span.set_attribute("db.query.text", f"select '{mark}'")


async def run_in_task(n: int) -> None:
    mark = f"mark{n:03d}x"
    pause = random.Random(n)
    with sentrial.begin(f"user-{mark}", "agent", input=f"input {mark}", convo_id=f"convo-{mark}") as session:
        await asyncio.sleep(pause.random() / 50)
        async with session.tool("live", {"arg": mark}, reasoning=f"reason {mark}") as call:
            await asyncio.sleep(0)
            third_party(mark)
            await asyncio.sleep(pause.random() / 50)
            call.set_output({"out": mark})
        session.track_tool_call("told", {"arg": mark}, {"out": mark}, metadata={"m": mark})
        async with session.llm("model", provider="test", input=f"prompt {mark}") as model:
            await asyncio.gather(asyncio.sleep(0), child(mark), asyncio.create_task(child(mark)))
            model.set_output(f"answer {mark}")
            model.set_usage(prompt_tokens=n, completion_tokens=1)
        await asyncio.sleep(pause.random() / 50)
        session.track_decision(f"why {mark}", [f"else {mark}"], chosen=f"this {mark}")
        session.track_error(f"error {mark}")
        await asyncio.to_thread(threaded, session, mark)
        with session.tool("live", {"again": mark}):
            await asyncio.sleep(pause.random() / 50)
        session.track_tool_call("told", {"again": mark}, mark)
        session.track_llm_call("model", provider="test", input=mark, output=mark)
        session.set_output(f"output {mark}")


async def child(mark: str) -> None:
    await asyncio.sleep(0)
    third_party(mark)
    await asyncio.sleep(0)


def threaded(session: Any, mark: str) -> None:
    with session.tool("threaded", {"arg": mark}):
        pass


def run_in_thread(client: SentrialClient, n: int, barrier: threading.Barrier) -> None:
    """The same, one session after another on one thread, by its id and in another session's time."""
    mark = f"mark{n:03d}x"
    session = client.begin(f"user-{mark}", "agent", f"input {mark}", convo_id=f"convo-{mark}")
    barrier.wait(60)
    session_id = session.session_id
    with session.tool("live", {"arg": mark}, reasoning=f"reason {mark}") as call:
        third_party(mark)
        call.set_output({"out": mark})
    client.track_tool_call(session_id, "told", {"arg": mark}, {"out": mark}, metadata={"m": mark})
    with session.llm("model", provider="test", input=f"prompt {mark}") as model:
        third_party(mark)
        third_party(mark)
        model.set_output(f"answer {mark}")
        model.set_usage(prompt_tokens=n, completion_tokens=1)
    client.track_decision(session_id, f"why {mark}", [f"else {mark}"], chosen=f"this {mark}")
    session.track_error(f"error {mark}")
    here = otel_context.get_current()
    other = threading.Thread(target=lambda: (otel_context.attach(here), threaded(session, mark)))
    other.start()
    other.join()
    with session.tool("live", {"again": mark}):
        barrier.wait(60)
    client.track_tool_call(session_id, "told", {"again": mark}, mark)
    client.track_llm_call(session_id, "model", provider="test", input=mark, output=mark)
    session.finish(output=f"output {mark}")


def test_two_hundred_sessions_over_tasks_and_threads_hold_only_what_is_theirs(server: SentrialStandIn) -> None:
    async def all_tasks() -> None:
        await asyncio.gather(*(run_in_task(n) for n in range(100)))

    client = SentrialClient()
    barrier = threading.Barrier(10)

    def all_in_thread(thread: int) -> None:
        for n in range(10):
            run_in_thread(client, 100 + thread * 10 + n, barrier)

    with ThreadPoolExecutor(11) as pool:
        work = [pool.submit(asyncio.run, all_tasks()), *(pool.submit(all_in_thread, n) for n in range(10))]
        for each in work:
            each.result(120)
    assert sentrial.flush(60)
    spans = server.spans
    assert sentrial.stats()[f"Sentrial {server.url}"] == {"stored": 200 * sum(EVENTS.values())}
    by_session: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        by_session.setdefault(span["attributes"]["sentrial.session.id"], []).append(span)
    assert len(by_session) == 200
    marks = set()
    for session_id, own in by_session.items():
        (mark,) = set(re.findall(r"mark\d{3}x", json.dumps(own)))
        marks.add(mark)
        assert Counter(span["name"] for span in own) == EVENTS
        check(session_id, own, mark)
    assert len(marks) == 200


def check(session_id: str, spans: list[dict[str, Any]], mark: str) -> None:
    ids = {span["span_id"] for span in spans}
    roots = [span for span in spans if span["parent_span_id"] is None]
    assert [f"{root['trace_id']}-{root['span_id']}" for root in roots] == [session_id]
    for span in spans:
        assert span["trace_id"] == session_id[:32]
        assert span["parent_span_id"] is None or span["parent_span_id"] in ids
        attributes = span["attributes"]
        assert attributes["user.id"] == f"user-{mark}"
        assert attributes["session.id"] == f"convo-{mark}"
        of_a_conversation = span["name"].startswith(("invoke_agent", "execute_tool", "chat"))
        assert attributes.get("gen_ai.conversation.id") == (f"convo-{mark}" if of_a_conversation else None)
    (root,) = roots
    attributes = root["attributes"]
    n = int(mark[4:7])
    assert attributes["sentrial.session.outcome"] == "failed"
    assert attributes["sentrial.session.failure_reason"] == f"error {mark}"
    assert attributes["gen_ai.usage.input_tokens"] == n
    assert attributes["input.value"] == f"input {mark}"
    assert attributes["output.value"] == f"output {mark}"
    counts = {key: attributes[f"sentrial.session.{key}"] for key in ("tool_calls", "llm_calls", "decisions", "errors")}
    assert counts == {"tool_calls": 5, "llm_calls": 2, "decisions": 1, "errors": 1}
    # What happened inside the block of a tool or a model call nests there.
    parents = {span["span_id"]: span["name"] for span in spans}
    nested = sorted(parents[span["parent_span_id"]] for span in spans if span["name"] == "third party")
    assert nested == ["chat model", "chat model", "execute_tool live"]


def test_generators_that_take_turns_keep_to_their_sessions(server: SentrialStandIn) -> None:
    def agent(mark: str) -> Iterator[str]:
        session = sentrial.begin(f"user-{mark}", "agent", input=mark)
        for step in range(3):
            session.track_tool_call("step", {"n": step, "mark": mark}, mark)
            yield mark
        session.finish(output=mark)

    agents = [agent(f"mark{n:03d}x") for n in range(10)]
    for _ in range(4):
        for each in agents:
            next(each, None)
    assert sentrial.flush(20)
    for mark in (f"mark{n:03d}x" for n in range(10)):
        own = [span for span in server.spans if span["attributes"]["user.id"] == f"user-{mark}"]
        assert set(re.findall(r"mark\d{3}x", json.dumps(own))) == {mark}
        assert Counter(span["name"] for span in own) == {"invoke_agent agent": 1, "execute_tool step": 3}
        assert len({span["attributes"]["sentrial.session.id"] for span in own}) == 1
    assert len(server.spans) == 40


# --- workers that outlive the session they were born in ---------------------------------------------------------------


def names_by_session(server: SentrialStandIn) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for span in server.spans:
        found.setdefault(span["attributes"].get("sentrial.session.id", "none"), []).append(span["name"])
    return {session: sorted(names) for session, names in found.items()}


def test_a_pools_worker_born_inside_a_session_does_not_serve_it_to_later_work(server: SentrialStandIn) -> None:
    def work() -> tuple[bool, bool]:
        third_party("later")
        span = trace.get_current_span()
        return span.get_span_context().is_valid, span.is_recording()

    class ContextPool(ThreadPoolExecutor):
        """As instrumented pools are: a task runs in the context of who submits it, the worker in that of its birth."""

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            here = otel_context.get_current()

            def run() -> Any:
                otel_context.attach(here)  # and left there, as careless code does
                return fn(*args, **kwargs)

            return super().submit(run)

    with ContextPool(1) as pool, ThreadPoolExecutor(1) as plain:
        with sentrial.begin("u1", "first") as first:
            pool.submit(third_party, "first").result(10)
            plain.submit(third_party, "first").result(10)
        # The context of the worker is the one that the first session left in it.
        inherited = ThreadPoolExecutor.submit(pool, work).result(10)
        assert plain.submit(work).result(10) == (False, False)
        with sentrial.begin("u2", "second") as second:
            pool.submit(third_party, "second").result(10)
    assert inherited[1] is False
    assert sentrial.flush(20)
    assert names_by_session(server) == {
        first.session_id: ["invoke_agent first", "third party", "third party"],
        second.session_id: ["invoke_agent second", "third party"],
    }
    assert {span["attributes"]["db.query.text"] for span in server.spans if span["name"] == "third party"} == {
        "select 'first'", "select 'second'",
    }  # fmt: skip


async def test_a_worker_task_born_inside_a_session_does_not_serve_it_to_later_work(server: SentrialStandIn) -> None:
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    workers: list[asyncio.Task[None]] = []

    async def worker() -> None:
        while (job := await queue.get()) is not None:
            third_party(job)
            if job == "later":
                with sentrial.begin("u3", "of the worker"):
                    third_party("own")
            queue.task_done()
        queue.task_done()

    async def submit(job: str | None) -> None:
        if not workers:
            workers.append(asyncio.create_task(worker()))  # lazily: in the context of the first session
        await queue.put(job)
        await queue.join()

    with sentrial.begin("u1", "first") as first:
        await submit("first")
    await submit("later")
    with sentrial.begin("u2", "second") as second:
        await submit("of the second")
    await submit(None)
    await asyncio.gather(*workers)
    assert sentrial.flush(20)
    by_session = names_by_session(server)
    assert by_session[first.session_id] == ["invoke_agent first", "third party"]
    # What the worker does for the second session cannot be told from its context; it must not go to the first.
    assert by_session[second.session_id] == ["invoke_agent second"]
    (own,) = by_session.keys() - {first.session_id, second.session_id}
    assert by_session[own] == ["invoke_agent of the worker", "third party"]
    root = next(span for span in server.spans if span["name"] == "invoke_agent of the worker")
    assert root["parent_span_id"] is None
    assert root["attributes"]["user.id"] == "u3"


def test_a_session_that_nobody_finishes_does_not_adopt_the_next_user(server: SentrialStandIn) -> None:
    ids = []
    for n in range(3):
        session = sentrial.begin(f"u{n}", "loop", input=f"input {n}")
        ids.append(session.session_id)
        session.track_tool_call("t", {"n": n}, {})
        if n == 1:
            session.finish()
    sentrial.shutdown(20)
    assert names_by_session(server) == {session_id: ["execute_tool t", "invoke_agent loop"] for session_id in ids}
    users = {span["attributes"]["sentrial.session.id"]: span["attributes"]["user.id"] for span in server.spans}
    assert users == dict(zip(ids, ("u0", "u1", "u2"), strict=True))
