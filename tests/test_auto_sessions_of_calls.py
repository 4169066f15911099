"""``SENTRIAL_AUTO_SESSION=call`` and ``process``: an outermost call is a session, or the run of the program is one."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind

import sentrial
from by_themselves import CALL, KEY, call_model, configure, inside, own_provider
from receivers import OtlpHttpReceiver, SentrialStandIn
from running import by_name
from sentrial import _registry
from stored import sessions_in

ROOT = "invoke_agent clerk"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRIAL_AGENT_NAME", "clerk")


def arrived(server: Any) -> list[list[str]]:
    """The names of the spans of each session, a session a list; the parents are looked at."""
    assert sentrial.flush(10)
    found: dict[str, list[dict[str, Any]]] = {}
    for span in server.spans:
        found.setdefault(span["trace_id"], []).append(span)
    for spans in found.values():
        ids = {span["span_id"] for span in spans} | {None}
        assert [span["name"] for span in spans if span["parent_span_id"] not in ids] == []
    return sorted(sorted(span["name"] for span in spans) for spans in found.values())


# --- call ------------------------------------------------------------------------------------------------------------


def test_each_outermost_call_is_a_session(server: SentrialStandIn) -> None:
    configure(server, "call")
    call_model()
    call_model()
    assert arrived(server) == [[CALL, ROOT]] * 2
    root = server.spans[-1]["attributes"]
    assert (root["sentrial.session.outcome"], root["gen_ai.usage.input_tokens"]) == ("completed", 5)
    assert _registry.open_sessions() == []


def test_it_ends_as_the_call_does(server: SentrialStandIn) -> None:
    configure(server, "call")
    call_model(error=ValueError("no"))
    call_model(error=asyncio.CancelledError())
    assert sentrial.flush(10)
    roots = [span["attributes"] for span in server.spans if span["name"] == ROOT]
    assert [root["sentrial.session.outcome"] for root in roots] == ["failed", "cancelled"]
    assert (roots[0]["sentrial.session.failure_reason"], roots[0]["error.type"]) == ("ValueError: no", "ValueError")


def test_it_lies_in_the_trace_that_is_there(server: SentrialStandIn) -> None:
    theirs = own_provider()
    configure(server, "call")
    with inside("nightly job"):
        call_model()
    assert arrived(server) == [[CALL, ROOT]]
    got = {span.name: span for span in theirs.get_finished_spans()}
    assert got[ROOT].parent == got["nightly job"].context
    assert got[CALL].parent == got[ROOT].context


def test_what_nobody_sampled_is_no_session_and_what_the_sampler_drops_leaves_nothing_open(
    server: SentrialStandIn,
) -> None:
    own_provider(ParentBased(ALWAYS_OFF))
    configure(server, "call")
    call_model()
    with inside("nightly job"):
        call_model()
    assert arrived(server) == []
    assert _registry.open_sessions() == []


def test_a_rate_keeps_or_drops_whole_sessions(server: SentrialStandIn) -> None:
    configure(server, "call", sample_rate=0.5)
    for _ in range(100):
        call_model()
    found = arrived(server)
    assert found == [[CALL, ROOT]] * len(found)
    assert 10 < len(found) < 90


def test_an_agent_of_another_instrumentation_is_one_with_all_that_it_does(server: SentrialStandIn) -> None:
    theirs = own_provider()
    configure(server, "call")
    with inside("crew", "openinference.instrumentation.crewai"):
        with inside("SELECT"):
            call_model()
        with inside("complete", "openinference.instrumentation.litellm"):
            pass
    assert arrived(server) == [sorted([CALL, "SELECT", "complete", "crew", ROOT])]
    spans = by_name(server.spans)
    assert spans[CALL]["parent_span_id"] == spans["SELECT"]["span_id"]
    assert spans["crew"]["parent_span_id"] == spans[ROOT]["span_id"]
    got = {span.name: span for span in theirs.get_finished_spans()}
    assert got["crew"].parent is None
    assert {span.context.trace_id for span in got.values()} == {got["crew"].context.trace_id}


def test_an_agent_that_fails_is_a_failed_session(server: SentrialStandIn) -> None:
    own_provider()
    configure(server, "call")
    with pytest.raises(ValueError, match="no"), inside("crew", "openinference.instrumentation.crewai"):
        raise ValueError("no")
    assert arrived(server) == [["crew", ROOT]]
    assert by_name(server.spans)[ROOT]["attributes"]["sentrial.session.failure_reason"] == "ValueError: no"


def test_a_session_of_the_applications_own_wins(server: SentrialStandIn) -> None:
    configure(server, "call")
    with sentrial.begin("u", "explicit"):
        call_model()
        with inside("crew", "openinference.instrumentation.crewai"):
            pass
    assert arrived(server) == [sorted([CALL, "crew", "invoke_agent explicit"])]


def test_in_a_request_the_request_is_the_session_and_outside_the_call(server: SentrialStandIn) -> None:
    own_provider()
    configure(server, "request,call")
    call_model()
    with inside("GET /", kind=SpanKind.SERVER):
        call_model()
        call_model()
    sentrial.shutdown()
    assert sorted(
        len([span for span in server.spans if span["trace_id"] == trace_id]) for trace_id in traces(server)
    ) == [2, 3]


def traces(server: SentrialStandIn) -> set[str]:
    return {span["trace_id"] for span in server.spans}


# --- process ---------------------------------------------------------------------------------------------------------


def test_the_run_is_one_session_in_all_its_threads(server: SentrialStandIn) -> None:
    own_provider()
    configure(server, "process")
    with inside("main"):
        with inside("SELECT"):
            pass
        call_model()
    bare = threading.Thread(target=call_model)
    bare.start()
    bare.join()
    with inside("cleaning up"):
        pass
    sentrial.shutdown()
    (trace_id,) = traces(server)
    spans = by_name([span for span in server.spans if span["name"] != CALL])
    assert sorted(span["name"] for span in server.spans) == sorted([CALL, CALL, "SELECT", "cleaning up", "main", ROOT])
    assert spans["SELECT"]["parent_span_id"] == spans["main"]["span_id"]
    assert {spans[name]["parent_span_id"] for name in ("main", "cleaning up")} == {spans[ROOT]["span_id"]}
    assert spans[ROOT]["attributes"]["sentrial.session.llm_calls"] == 2
    assert spans[ROOT]["start_ns"] <= spans["main"]["start_ns"]
    assert trace_id == spans[ROOT]["attributes"]["sentrial.session.id"][:32]


def test_a_run_without_a_model_is_no_session(server: SentrialStandIn) -> None:
    own_provider()
    configure(server, "process")
    with inside("main"):
        pass
    sentrial.shutdown()
    assert server.spans == []


def test_programs_that_it_starts_are_told_of_it_and_it_is_forgotten_with_its_end(server: SentrialStandIn) -> None:
    configure(server, "process")
    assert "SENTRIAL_RUN_SESSION" not in os.environ
    call_model()
    assert os.environ["SENTRIAL_RUN_SESSION"].startswith("sentrial1.")
    sentrial.shutdown()
    assert "SENTRIAL_RUN_SESSION" not in os.environ


# --- where it goes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["request", "process"])
def test_the_local_store_shows_one_tree(tmp_path: Path, mode: str) -> None:
    own_provider()
    sentrial.configure(store=str(tmp_path / "store.db"), auto_session=mode)
    with inside("GET /", "web", kind=SpanKind.SERVER):
        with inside("SELECT"):
            pass
        with inside("plan"):
            call_model()
    sentrial.shutdown()
    (session,) = sessions_in(tmp_path / "store.db")
    below = [] if mode == "request" else ["  GET /"]
    deeper = "  " if mode == "request" else "    "
    assert session.outline == [ROOT, *below, f"{deeper}SELECT", f"{deeper}plan", f"{deeper}  {CALL}"]


def test_a_collector_gets_every_span_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with OtlpHttpReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url, auto_session="request", flush_interval=0.01)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        sentrial.begin("u", "first").finish()  # our provider is built
        with inside("GET /", "web", kind=SpanKind.SERVER):
            with inside("SELECT"):
                pass
            call_model()
        sentrial.shutdown()
        names = sorted(span["name"] for span in collector.spans)
    assert names == sorted(["invoke_agent first", "GET /", "SELECT", CALL, ROOT])


def test_configured_anew_it_begins_none_any_more(server: SentrialStandIn) -> None:
    own_provider()
    configure(server, "call")
    call_model()
    configure(server, "off")
    call_model()
    with inside("crew", "openinference.instrumentation.crewai"):
        pass
    assert arrived(server) == [[CALL, ROOT]]
