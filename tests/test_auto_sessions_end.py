"""How the session of a request ends, what runs on behind the response, and what is none."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import trio
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import StatusCode

import sentrial
from by_themselves import CALL, KEY, call_model, configure, inside, names, own_provider, request, sessions, tree
from receivers import SentrialStandIn
from running import by_name, id_of
from sentrial._export import lingering, scope
from sentrial._spans import llm
from sentrial.types import LlmRequest

ROOT = "invoke_agent shop"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()


@pytest.fixture
def theirs() -> InMemorySpanExporter:
    """What the application's own exporter gets; its provider is there before us."""
    return own_provider()


@pytest.fixture(autouse=True)
def set_up(server: SentrialStandIn, theirs: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    # What decides when a request is over: no test waits for the longer ones.
    monkeypatch.setattr(scope, "AFTER_THREAD", 0.1)
    monkeypatch.setattr(lingering, "LOOKS_EVERY", 0.01)
    configure(server, "request")


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_a_failed_request_is_a_failed_session(server: SentrialStandIn) -> None:
    def handle() -> None:
        with request():
            call_model()
            raise ValueError("no such order")

    with pytest.raises(ValueError, match="no such order"):
        handle()
    with request(**{"http.response.status_code": 503}) as inbound:
        call_model()
        inbound.set_status(StatusCode.ERROR)
    with request(**{"http.response.status_code": 404}):
        call_model()
    ends = [by_name(spans)[ROOT]["attributes"] for spans in sessions(server, 3)]
    assert [end["sentrial.session.outcome"] for end in ends] == ["failed", "failed", "completed"]
    assert [end.get("sentrial.session.failure_reason") for end in ends] == [
        "ValueError: no such order",
        "HTTP 503",
        None,
    ]
    assert ends[0]["error.type"] == "ValueError"


async def test_a_cancelled_request_is_a_cancelled_session(server: SentrialStandIn) -> None:
    async def handle() -> None:
        with request():
            call = llm.begin(LlmRequest(operation="chat", provider="openai", model="gpt-4o"))
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as error:
                call.fail(error)
                raise

    task = asyncio.create_task(handle())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (spans,) = await asyncio.to_thread(sessions, server, 1)
    assert by_name(spans)[ROOT]["attributes"]["sentrial.session.outcome"] == "cancelled"
    assert by_name(spans)[ROOT]["status_code"] == 0


def test_so_is_one_that_trio_cancels(server: SentrialStandIn) -> None:
    async def handle() -> None:
        with trio.move_on_after(0.01), request():
            call = llm.begin(LlmRequest(operation="chat", provider="openai", model="gpt-4o"))
            try:
                await trio.sleep_forever()
            except trio.Cancelled as error:
                call.fail(error)
                raise

    trio.run(handle)
    (spans,) = sessions(server, 1)
    assert by_name(spans)[ROOT]["attributes"]["sentrial.session.outcome"] == "cancelled"
    assert by_name(spans)[ROOT]["status_code"] == 0


def test_what_runs_on_behind_the_response_still_belongs_to_the_request(server: SentrialStandIn) -> None:
    with request() as inbound:
        stream = llm.begin(LlmRequest(operation="chat", provider="openai", model="gpt-4o", stream=True))
    ended = inbound.end_time
    with trace.use_span(inbound):
        call_model()
    stream.succeed(None, stream_end="drained")
    (spans,) = sessions(server, 1)
    root = by_name([span for span in spans if span["name"] == ROOT])[ROOT]
    assert root["attributes"]["sentrial.session.llm_calls"] == 2
    assert root["end_ns"] > ended
    assert all("sentrial.late" not in span["attributes"] for span in spans)


async def test_work_in_the_background_counts_until_the_requests_task_is_done(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope, "AFTER_THREAD", 0.0)
    may_go_on = asyncio.Event()

    async def handle(*, background: bool) -> None:
        with request() as inbound:
            call_model()
            inbound.end()
            if background:
                await may_go_on.wait()
                call_model()

    task = asyncio.create_task(handle(background=True))
    await asyncio.create_task(handle(background=False))
    assert names(await asyncio.to_thread(server.wait_for_spans, 3)) == [CALL, CALL, ROOT]
    may_go_on.set()
    await task
    first, _ = await asyncio.to_thread(sessions, server, 2)
    assert names(first) == [CALL, CALL, ROOT]


def test_who_still_holds_the_context_of_a_request_that_is_over_does_not_book_on_it(server: SentrialStandIn) -> None:
    with request() as inbound:
        call_model()
        kept = otel_context.get_current()
    assert len(sessions(server, 1)) == 1
    contextvars.copy_context().run(lambda: (otel_context.attach(kept), call_model()))
    assert sentrial.flush(10)
    assert [span["name"] for span in server.spans] == [CALL, ROOT]
    assert not inbound.is_recording()


def test_work_handed_to_a_pool_belongs_to_the_request_before_its_first_call(server: SentrialStandIn) -> None:
    with ThreadPoolExecutor(2) as pool:
        pool.submit(int).result()
        with request():
            list(pool.map(call_model, ["a", "b", "c"]))
    (spans,) = sessions(server, 1)
    assert names(spans) == [CALL] * 3 + [ROOT]


# --- beside sessions of the application's own ------------------------------------------------------------------------


def test_a_session_of_the_applications_own_wins(server: SentrialStandIn) -> None:
    with request(), sentrial.begin("ann", "explicit") as session, inside("SELECT"):
        call_model()
    (spans,) = sessions(server, 1)
    assert tree(spans) == {"invoke_agent explicit": None, "SELECT": "invoke_agent explicit", CALL: "SELECT"}
    assert id_of(by_name(spans)["invoke_agent explicit"]) == session.session_id


def test_it_wins_for_its_own_part_where_the_request_calls_models_besides(server: SentrialStandIn) -> None:
    with request():
        call_model()
        with sentrial.begin("ann", "explicit"):
            call_model()
        call_model()
    trees = [names(spans) for spans in sessions(server, 2)]
    assert trees == [[CALL, CALL, ROOT], [CALL, "invoke_agent explicit"]]


# --- switches --------------------------------------------------------------------------------------------------------


def test_a_request_that_is_not_sampled_is_no_session(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    sentrial.shutdown()
    trace._TRACER_PROVIDER = None
    trace._TRACER_PROVIDER_SET_ONCE._done = False
    own_provider(ParentBased(ALWAYS_OFF))
    configure(server, "request,call")
    with request():
        call_model()
    assert sentrial.flush(10)
    assert server.spans == []


def test_off_is_off(server: SentrialStandIn) -> None:
    configure(server, "off")
    with request():
        call_model()
    assert sentrial.flush(10)
    assert server.spans == []
