"""Threads that live on and serve others, born inside a session that is still open, book nothing on it."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import multiprocessing.pool
import queue
import socketserver
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from receivers import SentrialStandIn
from running import arrived, session_of
from sentrial import _session
from sentrial._patch import carry

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def here() -> str | None:
    """The id of the session that is current where this is called."""
    session = _session.current()
    return None if session is None else session.id


def in_no_session(work: Callable[[], Any]) -> Any:
    """What ``work`` gives where nothing is current: another user's request, say."""
    before = otel_context.attach(Context())
    try:
        return work()
    finally:
        otel_context.detach(before)


def test_a_pools_worker_books_later_foreign_work_on_no_session(server: SentrialStandIn) -> None:
    def work(name: str) -> None:
        trace.get_tracer("db").start_span(name).end()

    with ThreadPoolExecutor(1) as pool, sentrial.begin("u", "agent") as session:
        pool.submit(work, "SELECT of the session").result()
        in_no_session(lambda: pool.submit(work, "SELECT of others")).result()
        assert in_no_session(lambda: pool.submit(here)).result() is None
        assert pool.submit(here).result() == session.session_id
    assert set(arrived(server)) == {"invoke_agent agent", "SELECT of the session"}


def test_a_pools_worker_does_the_work_of_each_session_in_that_session(server: SentrialStandIn) -> None:
    with ThreadPoolExecutor(1) as pool, sentrial.begin("u", "first") as first:
        assert pool.submit(here).result() == first.session_id
        second = in_no_session(lambda: sentrial.begin("v", "second"))

        def ask() -> str | None:
            with second:
                return pool.submit(here).result()

        assert in_no_session(ask) == second.session_id
        assert pool.submit(here).result() == first.session_id


def test_a_pool_of_multiprocessing_is_nobodys() -> None:
    with sentrial.begin("u", "agent"), multiprocessing.pool.ThreadPool(1) as pool:
        assert in_no_session(lambda: pool.apply(here)) is None


def test_a_log_listener_is_nobodys() -> None:
    seen: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    class Emitter(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.put(here())

    records: queue.SimpleQueue[Any] = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(records, Emitter())
    with sentrial.begin("u", "agent"):
        listener.start()
        in_no_session(lambda: records.put(logging.makeLogRecord({"msg": "of others"})))
        assert seen.get(timeout=10) is None
        listener.stop()


def test_a_server_is_nobodys() -> None:
    seen: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.put(here())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with sentrial.begin("u", "agent"), ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=partial(web.serve_forever, poll_interval=0.01))
        thread.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{web.server_port}/", timeout=10) as answer:
            assert answer.status == 204
        assert seen.get(timeout=10) is None
        web.shutdown()
        thread.join()
    assert issubclass(ThreadingHTTPServer, socketserver.BaseServer)


def test_an_event_loop_on_a_thread_of_its_own_is_nobodys_and_serves_each_in_their_session() -> None:
    async def look() -> str | None:
        return here()

    loop = asyncio.new_event_loop()
    with sentrial.begin("u", "agent") as session:
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        assert in_no_session(lambda: asyncio.run_coroutine_threadsafe(look(), loop)).result(10) is None
        assert asyncio.run_coroutine_threadsafe(look(), loop).result(10) == session.session_id
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
    loop.close()


def test_what_a_thread_runs_in_an_event_loop_of_its_own_is_the_sessions() -> None:
    seen: list[str | None] = []

    async def look() -> None:
        seen.append(here())

    with sentrial.begin("u", "agent") as session:
        thread = threading.Thread(target=lambda: asyncio.run(look()))
        thread.start()
        thread.join()
        coroutine = look()
        thread = threading.Thread(target=asyncio.run, args=(coroutine,))
        thread.start()
        thread.join()
    assert seen == [session.session_id] * 2


def test_opentelemetrys_own_threads_are_nobodys() -> None:
    seen: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    class Exporter(InMemorySpanExporter):
        def export(self, spans: Any) -> Any:
            seen.put(here())
            return super().export(spans)

    def observe(options: CallbackOptions) -> list[Observation]:
        seen.put(here())
        return []

    with sentrial.begin("u", "agent"):
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(Exporter(), schedule_delay_millis=10))
        provider.get_tracer("app").start_span("of others").end()
        assert seen.get(timeout=10) is None
        reader = PeriodicExportingMetricReader(ConsoleMetricExporter(), export_interval_millis=10)
        meters = MeterProvider([reader], shutdown_on_exit=False)
        meters.get_meter("app").create_observable_gauge("temperature", [observe])
        assert seen.get(timeout=10) is None
        meters.shutdown()
        provider.shutdown()


def test_our_own_threads_are_nobodys(server: SentrialStandIn) -> None:
    before = set(threading.enumerate())
    with sentrial.begin("u", "agent"):
        sentrial.begin("v", "other").finish()
        assert sentrial.flush(10)
        ours = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("sentrial")]
        assert ours
        assert all(carry._serves_others(thread) for thread in ours)


def test_a_worker_of_the_programs_own_belongs_to_the_session_until_that_ends(server: SentrialStandIn) -> None:
    jobs: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def serve() -> None:
        while (name := jobs.get()) is not None:
            trace.get_tracer("db").start_span(name).end()
            done.put(here())

    with sentrial.begin("u", "agent") as session:
        worker = threading.Thread(target=serve)
        worker.start()
        jobs.put("SELECT during")
        assert done.get(timeout=10) == session.session_id
    jobs.put("SELECT afterwards")
    assert done.get(timeout=10) is None
    jobs.put(None)
    worker.join()
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "SELECT during"}
    assert session_of(spans["SELECT during"]) == session.session_id


def test_work_that_waits_until_its_session_is_over_books_nothing_on_it(server: SentrialStandIn) -> None:
    gate = threading.Event()

    def work() -> str | None:
        gate.wait(10)
        trace.get_tracer("db").start_span("SELECT").end()
        return here()

    with ThreadPoolExecutor(1) as pool:
        with sentrial.begin("u", "agent"):
            late = pool.submit(work)
        gate.set()
        assert late.result() is None
        with sentrial.begin("u", "outer") as outer:
            with sentrial.begin("u", "inner"):
                gate.clear()
                later = pool.submit(work)
            gate.set()
            assert later.result() == outer.session_id
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "invoke_agent outer", "invoke_agent inner", "SELECT"}
    assert session_of(spans["SELECT"]) == outer.session_id
