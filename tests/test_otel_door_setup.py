"""``setup_otel_tracing()``: whose provider, called twice, undone; and the processes that end or fork."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from dialects import AI, delivered, provider_with, write_ladder
from receivers import SentrialStandIn
from running import by_name, run_program
from sentrial import _setup
from sentrial._patch import install
from sentrial.otel import SentrialSpanProcessor, setup_otel_tracing

KEY, OTHER = "sentrial_test_key", "sentrial_other_key"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY, OTHER]) as stand_in:
        monkeypatch.setenv("SENTRIAL_API_URL", stand_in.url)
        yield stand_in
        sentrial.shutdown(timeout=0.1)


def global_provider() -> Any:
    return trace.get_tracer_provider()


def names_of(server: SentrialStandIn, key: str) -> list[str]:
    assert sentrial.flush(10)
    return sorted(span["name"] for span in server.spans_of(key))


# --- whose provider --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("set_global", [None, False])
def test_where_there_is_no_provider_ours_is_global_at_once(server: SentrialStandIn, set_global: bool | None) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, set_global=set_global)
    early = trace.get_tracer("early")
    setup_otel_tracing("parcels")
    assert isinstance(global_provider(), TracerProvider)
    early.start_span("call", attributes=AI).end()
    assert delivered(global_provider(), server)["call"]["attributes"]["sentrial.project"] == "parcels"


def test_a_provider_that_exists_is_used_and_stays(server: SentrialStandIn) -> None:
    theirs, exporter = provider_with(), InMemorySpanExporter()
    theirs.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(theirs)
    setup_otel_tracing(api_key=KEY)
    assert global_provider() is theirs
    write_ladder(theirs)
    assert set(delivered(theirs, server)) == {"agent", "call"}
    seen = {span.name: span for span in exporter.get_finished_spans()}
    assert len(seen) == 5
    assert seen["call"].parent == seen["SELECT"].context  # what the application holds stays as it is
    assert dict(seen["call"].attributes or {}) == AI


def test_a_foreign_kind_of_provider_is_left_alone_with_one_line(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    trace.set_tracer_provider(trace.NoOpTracerProvider())
    for _ in range(2):
        setup_otel_tracing(api_key=KEY)
    assert isinstance(global_provider(), trace.NoOpTracerProvider)
    assert [record.message for record in caplog.records] == [
        "sentrial: the global TracerProvider (opentelemetry.trace.NoOpTracerProvider) takes no span processors, so "
        "that its spans cannot go to Sentrial. Set a TracerProvider of opentelemetry.sdk.trace before "
        "setup_otel_tracing()."
    ]


def test_called_twice_the_later_arguments_count_and_nothing_is_sent_twice(server: SentrialStandIn) -> None:
    setup_otel_tracing(api_key=KEY)
    setup_otel_tracing("parcels", api_key=OTHER, filter_ai_spans=False)
    write_ladder(global_provider())
    assert names_of(server, KEY) == []
    assert names_of(server, OTHER) == ["POST /chat", "SELECT", "agent", "business", "call"]


def test_a_shutdown_undoes_it_and_it_may_come_again(server: SentrialStandIn) -> None:
    setup_otel_tracing(api_key=KEY)
    write_ladder(global_provider())
    sentrial.shutdown()
    assert len(server.spans) == 2
    sentrial.configure(api_key=KEY, api_url=server.url)
    write_ladder(global_provider())
    assert sentrial.flush(10)
    assert len(server.spans) == 2
    setup_otel_tracing(api_key=KEY)
    write_ladder(global_provider())
    assert sentrial.flush(10)
    assert len(server.spans) == 4


def test_sessions_and_traces_without_one_go_side_by_side(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url)
    setup_otel_tracing()
    with sentrial.begin("u", "agent"):
        trace.get_tracer("app").start_span("SELECT").end()
    trace.get_tracer("app").start_span("call", attributes=AI).end()
    trace.get_tracer("app").start_span("SELECT outside").end()
    spans = delivered(global_provider(), server)
    assert set(spans) == {"invoke_agent agent", "SELECT", "call"}


def test_neither_patches_a_client_nor_makes_a_connection_and_a_session_does(server: SentrialStandIn) -> None:
    def states() -> set[str]:
        return {report.state for report in install.installed()}

    setup_otel_tracing(api_key=KEY)
    SentrialSpanProcessor(KEY)
    write_ladder(provider_with())
    assert states() <= {install.OFF}
    assert server.requests == []
    sentrial.begin("u", "agent").finish()
    assert _setup._is_patching
    assert states() >= {install.PATCHED} or states() >= {install.WAITING}


# --- processes -------------------------------------------------------------------------------------------------------

AT_THE_END = """
from opentelemetry.sdk.trace import TracerProvider
from sentrial.otel import SentrialSpanProcessor
{first}
{second}
provider.add_span_processor(processor)
request = provider.get_tracer("app").start_as_current_span("POST /chat")
request.__enter__()
provider.get_tracer("app").start_span("call", attributes={{"llm.model_name": "m"}}).end()
"""
PROVIDER = "provider = TracerProvider()"
PROCESSOR = "processor = SentrialSpanProcessor()"


@pytest.mark.parametrize(("first", "second"), [(PROVIDER, PROCESSOR), (PROCESSOR, PROVIDER)])
def test_the_end_of_a_program_delivers_what_still_waits_for_its_parent(
    server: SentrialStandIn, first: str, second: str
) -> None:
    ended = run_program(
        AT_THE_END.format(first=first, second=second), {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url}
    )
    assert ended.err == ""
    assert {name: span["parent_span_id"] for name, span in by_name(server.spans).items()} == {"call": None}


FORK = """
import os
from opentelemetry import trace
from sentrial.otel import setup_otel_tracing

setup_otel_tracing()
tracer = trace.get_tracer("app")
AI = {"llm.model_name": "m"}
with tracer.start_as_current_span("POST /chat"), tracer.start_as_current_span("agent", attributes=AI):
    tracer.start_span("before", attributes=AI).end()
    waiting = tracer.start_as_current_span("business")
    waiting.__enter__()
    child = os.fork()
    who = "parent" if child else "child"
    tracer.start_span(f"of the {who}", attributes=AI).end()
    waiting.__exit__(None, None, None)
with tracer.start_as_current_span(f"new in the {who}", attributes=AI):
    pass
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_fork_in_the_middle_of_a_trace_sends_nothing_twice(server: SentrialStandIn) -> None:
    ended = run_program(FORK, {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url})
    assert ended.err == ""
    spans = by_name(server.spans)  # each once
    agent = spans["agent"]["span_id"]
    assert {name: span["parent_span_id"] for name, span in spans.items()} == {
        "agent": None,
        "before": agent,
        "of the parent": agent,
        "of the child": agent,
        "new in the parent": None,
        "new in the child": None,
    }
