"""A session over real process borders: queues, files and HTTP, with whichever propagators are configured."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from opentelemetry import propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import sentrial
from receivers import SentrialStandIn
from running import by_name, run_program, running_program, session_of
from sentrial.propagation import extract, inject

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in


def configure(server: SentrialStandIn, **settings: Any) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01, **settings)


# --- a queue, a file --------------------------------------------------------------------------------------------------


def work(url: str, jobs: Any, done: Any) -> None:
    """A worker with a process of its own: it begins without anything that the parent has."""
    sentrial.configure(api_key=KEY, api_url=url)
    while (job := jobs.get(timeout=60)) is not None:
        with extract(job["headers"], trust=True) as session, session.llm("model", provider="test") as call:
            trace.get_tracer("db").start_span(f"SELECT {job['text']}").end()
            call.set_output(job["text"])
        done.put(session.session_id)
    sentrial.shutdown(20)


def test_what_workers_take_from_a_queue_belongs_to_the_session_that_put_it_there(server: SentrialStandIn) -> None:
    configure(server)
    spawned = multiprocessing.get_context("spawn")
    jobs, done = spawned.Queue(), spawned.Queue()
    workers = [spawned.Process(target=work, args=(server.url, jobs, done)) for _ in range(2)]
    for worker in workers:
        worker.start()
    sessions = {}
    for n in range(4):
        with sentrial.begin(f"u{n}", "agent", convo_id=f"c{n}") as session, session.tool("enqueue") as tool:
            headers: dict[str, str] = {}
            inject(headers)
            jobs.put({"headers": headers, "text": n})
            tool.set_output(n)
        sessions[session.session_id] = n
    assert {done.get(timeout=60) for _ in range(4)} == sessions.keys()
    for _ in workers:
        jobs.put(None)
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    jobs.close()
    done.close()
    assert sentrial.flush(10)
    for session_id, n in sessions.items():
        spans = by_name([span for span in server.spans if session_of(span) == session_id])
        assert {name: span["parent_span_id"] for name, span in spans.items()} == {
            "invoke_agent agent": None,
            "execute_tool enqueue": spans["invoke_agent agent"]["span_id"],
            "chat model": spans["execute_tool enqueue"]["span_id"],
            f"SELECT {n}": spans["chat model"]["span_id"],
        }
        for span in spans.values():
            assert span["trace_id"] == session_id[:32]
            assert (span["attributes"]["user.id"], span["attributes"]["session.id"]) == (f"u{n}", f"c{n}")


def test_a_message_in_a_file_is_taken_up_when_its_session_is_long_over(server: SentrialStandIn, tmp_path: Path) -> None:
    configure(server)
    message = tmp_path / "message.json"
    with sentrial.begin("u1", "agent") as session:
        headers: dict[str, str] = {}
        inject(headers)
        message.write_text(json.dumps(headers))
    sentrial.shutdown(20)
    reader = """
import json
import os
import sentrial
from sentrial.propagation import extract

with open(os.environ["MESSAGE"]) as message, extract(json.load(message)) as session:
    session.track_tool_call("read", {}, {})
"""
    variables = {
        "SENTRIAL_API_KEY": KEY,
        "SENTRIAL_API_URL": server.url,
        "SENTRIAL_TRUST_INCOMING": "true",
        "MESSAGE": str(message),
    }
    assert run_program(reader, variables).err == ""
    spans = by_name(server.spans)
    read, root = spans["execute_tool read"], spans["invoke_agent agent"]
    assert (read["trace_id"], read["parent_span_id"]) == (root["trace_id"], root["span_id"])
    assert (session_of(read), read["attributes"]["user.id"]) == (session.session_id, "u1")
    assert root["attributes"]["sentrial.session.outcome"] == "completed"


# --- HTTP, by hand, with the propagators that a fleet may have --------------------------------------------------------

SERVICE = """
import json
from http.server import BaseHTTPRequestHandler, HTTPServer

import sentrial
from opentelemetry import trace
from sentrial.propagation import extract

sentrial.configure()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        with extract(self.headers) as session:
            here = trace.get_current_span().get_span_context()
            if session.found:
                with session.llm("model", provider="test") as call:
                    trace.get_tracer("db").start_span("SELECT").end()
            else:
                with sentrial.begin("u1", "own"):
                    pass
        reply = json.dumps([session.found, session.session_id, f"{here.trace_id:032x}"]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


with HTTPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.handle_request()
"""

KNOWN: dict[str, TextMapPropagator] = {
    "tracecontext": TraceContextTextMapPropagator(),
    "baggage": W3CBaggagePropagator(),
    "b3": B3SingleFormat(),
    "b3multi": B3MultiFormat(),
}


@pytest.fixture(autouse=True)
def configured_propagators() -> Iterator[None]:
    before = propagate.get_global_textmap()
    yield
    sentrial.shutdown()
    propagate.set_global_textmap(before)


def ask(server: SentrialStandIn, *, propagators: str = "", **variables: str) -> tuple[str, list[str], Any, list[str]]:
    """Ask the service, in a process of its own, out of a session: its id, the headers, the answer, what was said there.

    When this returns, both are done and have sent what they had to send.
    """
    chosen = {"OTEL_PROPAGATORS": propagators} if propagators else {}
    places = {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url, "SENTRIAL_TRUST_INCOMING": "true"}
    process = running_program(SERVICE, {**places, **chosen, **variables})
    assert process.stdout is not None
    url = f"http://127.0.0.1:{int(process.stdout.readline())}"
    if propagators:
        named = [KNOWN[name] for name in propagators.split(",") if name != "none"]
        propagate.set_global_textmap(CompositePropagator(named))
    headers: dict[str, str] = {}
    with sentrial.begin("u1", "agent") as session, session.tool("ask"):
        inject(headers)
        with urlopen(Request(url, headers=headers), timeout=60) as reply:
            answer = json.load(reply)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert sentrial.flush(10)
    return session.session_id, sorted(headers), answer, [line for line in err.splitlines() if "sentrial" in line]


PROPAGATORS = {
    "": ["baggage", "traceparent"],
    "tracecontext,baggage": ["baggage", "traceparent"],
    "b3,baggage": ["b3", "baggage"],
    "b3multi,baggage": ["baggage", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"],
    "tracecontext,b3,baggage": ["b3", "baggage", "traceparent"],
    "baggage": ["baggage"],
}


@pytest.mark.parametrize("propagators", PROPAGATORS)
def test_a_session_crosses_with_every_propagator_of_traces(server: SentrialStandIn, propagators: str) -> None:
    configure(server)
    session_id, headers, there, said = ask(server, propagators=propagators)
    assert said == []
    assert headers == PROPAGATORS[propagators]
    assert there == [True, session_id, session_id[:32]]
    spans = by_name(server.spans)
    # Without a trace of its own in the message, what is done for it lies under the session itself.
    above = "invoke_agent agent" if propagators == "baggage" else "execute_tool ask"
    assert spans["chat model"]["parent_span_id"] == spans[above]["span_id"]
    assert spans["SELECT"]["parent_span_id"] == spans["chat model"]["span_id"]
    for span in spans.values():
        assert (span["trace_id"], session_of(span)) == (session_id[:32], session_id)
        assert span["attributes"]["user.id"] == "u1"


@pytest.mark.parametrize(("propagators", "carried"), [("tracecontext", ["traceparent"]), ("b3", ["b3"]), ("none", [])])
def test_without_baggage_the_trace_crosses_where_it_can_and_both_sides_are_told(
    server: SentrialStandIn, propagators: str, carried: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    configure(server)
    session_id, headers, there, at_service = ask(server, propagators=propagators)
    assert headers == carried
    assert there[0] is False
    assert there[2] == (session_id[:32] if carried else "0" * 32)
    at_client = [record.getMessage() for record in caplog.records if record.name == "sentrial"]
    for said in (at_client, at_service):
        assert len(said) == 1
        assert "leave baggage out" in said[0]
    own = by_name(server.spans)["invoke_agent own"]
    assert session_of(own) != session_id
    assert [link["trace_id"] for link in own["links"]] == ([session_id[:32]] if carried else [])


@pytest.mark.parametrize("sampler", ["always_off", "parentbased_always_on"])
def test_a_session_that_is_not_sampled_is_not_sampled_there(
    server: SentrialStandIn, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    configure(server)
    session_id, _, there, said = ask(server, OTEL_TRACES_SAMPLER=sampler)
    assert said == []
    assert there[:2] == [True, session_id]
    assert server.spans == []


@pytest.mark.parametrize(
    ("at_client", "at_service"), [("root", "inherit"), ("inherit", "root"), ("inherit", "inherit")]
)
def test_who_begins_a_session_says_whether_its_trace_is_shared(
    server: SentrialStandIn, at_client: str, at_service: str
) -> None:
    configure(server, session_parent=at_client)
    session_id, _, there, said = ask(server, SENTRIAL_SESSION_PARENT=at_service)
    assert said == []
    assert there == [True, session_id, session_id[:32]]
    (trace_id,) = {span["trace_id"] for span in server.spans}
    assert (trace_id == session_id[:32]) is (at_client == "root")
    assert {session_of(span) for span in server.spans} == {session_id}
    assert len(server.spans) == 4


def test_a_service_that_trusts_nobody_has_sessions_of_its_own(server: SentrialStandIn) -> None:
    configure(server)
    session_id, _, there, said = ask(server, SENTRIAL_TRUST_INCOMING="false")
    assert said == []
    assert there[0] is False
    spans = by_name(server.spans)
    assert {session_of(spans[name]) for name in ("invoke_agent agent", "execute_tool ask")} == {session_id}
    assert session_of(spans["invoke_agent own"]) != session_id
