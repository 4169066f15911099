"""OpenTelemetry's own instrumentation of threads beside ours: in either order nothing is doubled, nothing breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.threading import ThreadingInstrumentor

import sentrial
from receivers import SentrialStandIn
from running import arrived, is_current
from sentrial import Interaction
from sentrial._patch import carry

KEY = "sentrial_test_key"
METHODS = ((ThreadPoolExecutor, "submit"), (threading.Thread, "start"), (threading.Thread, "run"))
UNPATCHED = [vars(owner)[method] for owner, method in METHODS]


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()
        assert [vars(owner)[method] for owner, method in METHODS] == UNPATCHED


def set_up(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01)


def assert_carried_once(server: SentrialStandIn) -> None:
    seen: list[bool] = []

    def work(session: Interaction, name: str) -> None:
        with session.tool(name):
            trace.get_tracer("db").start_span(f"SELECT by {name}").end()
        seen.append(is_current(session.session_id))

    with ThreadPoolExecutor(1) as pool, sentrial.begin("u", "agent") as session, session.decision("which"):
        pool.submit(work, session, "pool").result()
        assert list(pool.map(work, [session], ["map"])) == [None]
        for thread in (
            threading.Thread(target=work, args=(session, "thread")),
            threading.Timer(0, work, (session, "timer")),
        ):
            thread.start()
            thread.join()
    assert seen == [True] * 4
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(is_current, None).result()
    spans = arrived(server)
    assert len(spans) == 2 + 2 * 4
    for name in ("pool", "map", "thread", "timer"):
        tool = spans[f"execute_tool {name}"]
        assert tool["parent_span_id"] == spans["decision agent"]["span_id"]
        assert spans[f"SELECT by {name}"]["parent_span_id"] == tool["span_id"]


def test_theirs_before_ours(server: SentrialStandIn) -> None:
    theirs = ThreadingInstrumentor()
    theirs.instrument()
    set_up(server)
    assert_carried_once(server)
    sentrial.shutdown()
    theirs.uninstrument()


def test_ours_before_theirs(server: SentrialStandIn) -> None:
    theirs = ThreadingInstrumentor()
    set_up(server)
    theirs.instrument()
    assert_carried_once(server)
    theirs.uninstrument()
    sentrial.shutdown()


def test_ours_goes_first_from_below_theirs(server: SentrialStandIn) -> None:
    theirs = ThreadingInstrumentor()
    set_up(server)
    theirs.instrument()
    sentrial.shutdown()  # they stand on top: we fall silent, and stay
    with trace.get_tracer("app").start_as_current_span("request") as span, ThreadPoolExecutor(1) as pool:
        assert pool.submit(trace.get_current_span).result() is span
    set_up(server)
    assert_carried_once(server)
    theirs.uninstrument()
    assert vars(ThreadPoolExecutor)["submit"] is not UNPATCHED[0]
    carry.uninstall()


def test_theirs_carries_on_without_ours_and_without_a_session(server: SentrialStandIn) -> None:
    theirs = ThreadingInstrumentor()
    theirs.instrument()
    set_up(server)
    with trace.get_tracer("app").start_as_current_span("request") as span, ThreadPoolExecutor(1) as pool:
        assert pool.submit(trace.get_current_span).result() is span
    sentrial.shutdown()
    with trace.get_tracer("app").start_as_current_span("request") as span, ThreadPoolExecutor(1) as pool:
        assert pool.submit(trace.get_current_span).result() is span
    theirs.uninstrument()
