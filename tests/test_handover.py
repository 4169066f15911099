"""A session that goes on elsewhere: exported, resumed, attached, in this process and in others."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import sentrial
from receivers import SentrialStandIn
from running import arrived, id_of, is_current, run_program, session_of
from sentrial import SentrialClient
from sentrial._handle import Handle, read_handle

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


ELSEWHERE = """
import os
import openai_like
import sentrial

sentrial.configure(flush_interval=0.01)
with sentrial.resume(os.environ["HANDLE"]) as session:
    openai_like.plain_span()
    with session.tool("approve", {"by": "Ann"}) as call:
        call.set_output("yes")
    with sentrial.begin("u1", "sub-agent"):
        pass
    session.set_output("Refunded.")
    print(f'"{session.session_id}"')
"""

PLAIN_SPAN = """
from opentelemetry import trace

def plain_span():
    trace.get_tracer("db").start_span("SELECT").end()
"""


def elsewhere(server: SentrialStandIn, handle: str, source: str = ELSEWHERE) -> object:
    ended = run_program(
        source.replace("import openai_like\n", PLAIN_SPAN).replace("openai_like.", ""),
        {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": server.url, "HANDLE": handle},
    )
    assert (ended.code, ended.err) == (0, "")
    return ended.printed


def test_pain_b3_a_session_is_paused_here_and_finished_in_another_process(server: SentrialStandIn) -> None:
    with sentrial.begin("u1", "refunds", "Refund me", convo_id="c1") as session:
        with session.tool("ask_for_approval", {}):
            pass
        handle = session.export()
    assert elsewhere(server, handle) == [session.session_id]
    spans = arrived(server)
    root = spans["invoke_agent refunds"]
    assert id_of(root) == session.session_id
    assert root["attributes"]["sentrial.session.outcome"] == "continued"
    assert "sentrial.session.success" not in root["attributes"]
    assert root["status_code"] == 0
    there = {"SELECT", "execute_tool approve", "invoke_agent sub-agent", "session completed"}
    assert set(spans) == {"invoke_agent refunds", "execute_tool ask_for_approval", *there}
    for name in there:
        span = spans[name]
        assert (span["trace_id"], span["parent_span_id"]) == (root["trace_id"], root["span_id"]), name
        assert session_of(span) == session.session_id
        assert (span["attributes"]["user.id"], span["attributes"]["session.id"]) == ("u1", "c1")
    conversations = {name for name, span in spans.items() if "gen_ai.conversation.id" in span["attributes"]}
    assert conversations == set(spans) - {"SELECT", "session completed"}
    end = spans["session completed"]["attributes"]
    assert (end["sentrial.session.outcome"], end["sentrial.session.success"]) == ("completed", True)
    assert end["output.value"] == "Refunded."


def test_a_session_goes_on_from_process_to_process(server: SentrialStandIn) -> None:
    with sentrial.begin("u1", "agent") as session:
        first = session.export()
    passes_on = """
import os, json, sentrial
with sentrial.resume(os.environ["HANDLE"]) as session:
    session.track_tool_call("second", {}, {})
    print(json.dumps(session.export()))
"""
    (second,) = elsewhere(server, first, passes_on)
    assert read_handle(second) == read_handle(first)
    elsewhere(server, second)
    spans = arrived(server)
    assert "execute_tool second" in spans
    ends = [span for span in spans.values() if span["name"] == "session completed"]
    assert [span["attributes"]["sentrial.session.outcome"] for span in ends] == ["completed"]


def test_a_failure_elsewhere_is_told_there(server: SentrialStandIn) -> None:
    with sentrial.begin("u1", "agent") as session:
        handle = session.export()
    fails = """
import os, sentrial
try:
    with sentrial.resume(os.environ["HANDLE"]):
        raise LookupError("no such order")
except LookupError:
    pass
"""
    elsewhere(server, handle, fails)
    end = arrived(server)["session completed"]
    assert (end["status_code"], end["status_message"]) == (2, "LookupError: no such order")
    assert end["attributes"]["sentrial.session.outcome"] == "failed"


def test_finish_wins_over_export(server: SentrialStandIn) -> None:
    with sentrial.begin("u1", "agent") as session:
        session.export()
        session.finish(output="done after all")
    attributes = arrived(server)["invoke_agent agent"]["attributes"]
    assert attributes["sentrial.session.outcome"] == "completed"


def test_an_exported_session_that_nobody_ends_here_has_continued(server: SentrialStandIn) -> None:
    session = sentrial.begin("u1", "agent")
    session.export()
    sentrial.shutdown(20)
    (root,) = server.spans
    assert root["attributes"]["sentrial.session.outcome"] == "continued"


def test_a_failure_in_the_block_is_a_failure_though_exported(server: SentrialStandIn) -> None:
    def fail() -> None:
        with sentrial.begin("u1", "agent") as session:
            session.export()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert arrived(server)["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] == "failed"


def test_resumed_in_the_process_that_has_it_open_it_is_the_same_session(server: SentrialStandIn) -> None:
    session = sentrial.begin("u1", "agent")
    handle = session.export()
    found: list[sentrial.Interaction] = []

    def worker() -> None:
        found.append(sentrial.resume(handle))
        assert is_current(session.session_id)
        trace.get_tracer("db").start_span("SELECT").end()
        found[0].finish(output="from the worker")
        assert is_current(None)

    thread = threading.Thread(target=worker)
    thread.start()
    thread.join()
    assert found == [session]
    assert is_current(None)
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "SELECT"}
    assert spans["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] == "completed"
    assert session_of(spans["SELECT"]) == session.session_id


def test_resumed_later_in_the_same_process_it_is_completed_by_a_span_of_its_own(server: SentrialStandIn) -> None:
    with sentrial.begin("u1", "agent") as session:
        handle = session.export()
    with sentrial.resume(handle) as later:
        later.track_tool_call("t", {}, {})
    spans = arrived(server)
    assert set(spans) == {"invoke_agent agent", "execute_tool t", "session completed"}
    assert spans["execute_tool t"]["attributes"]["user.id"] == "u1"
    assert "sentrial.late" not in spans["execute_tool t"]["attributes"]
    # A job that failed and is run again takes it up again, and says how it ended this time.
    again = sentrial.resume(handle)
    assert again.finish(output="at last")["status"] == "completed"
    assert again.finish() == {}
    assert sentrial.flush(10)
    assert [span["name"] for span in server.spans[3:]] == ["session completed"]


def test_a_session_that_is_not_sampled_is_sampled_nowhere() -> None:
    with SentrialStandIn([KEY]) as server:
        trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False))
        sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01)
        with sentrial.begin("u1", "agent") as session:
            handle = session.export()
        assert elsewhere(server, handle) == [session.session_id]
        assert sentrial.flush(10)
        assert server.spans == []


def test_a_handle_carries_a_trace_that_is_shared(server: SentrialStandIn) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01, session_parent="inherit")
    with trace.get_tracer("web").start_as_current_span("GET /"), sentrial.begin("u1", "agent") as session:
        handle = session.export()
    elsewhere(server, handle)
    spans = arrived(server)
    assert {span["trace_id"] for span in spans.values()} == {spans["invoke_agent agent"]["trace_id"]}
    assert spans["invoke_agent agent"]["trace_id"] != session.session_id.partition("-")[0]
    assert {session_of(span) for span in spans.values()} == {session.session_id}


def test_a_handle_fits_into_an_address_and_holds_no_key(server: SentrialStandIn) -> None:
    session = sentrial.begin("u/ü ", "agent", convo_id="c")
    handle = session.export()
    assert handle.isascii()
    assert set(handle) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert KEY not in base64.urlsafe_b64decode(handle.partition(".")[2] + "==").decode()
    assert read_handle(handle) == Handle(session.session_id, "agent", "u/ü ", "c")


ODD_HANDLES = [
    "", "nonsense", None, 7, "sentrial1.", "sentrial1.!!!!", "sentrial1." + "A" * 7,
    "sentrial1." + base64.urlsafe_b64encode(b"[]").decode(),
    "sentrial1." + base64.urlsafe_b64encode(json.dumps({"id": "x"}).encode()).decode(),
    "sentrial1." + base64.urlsafe_b64encode(b"[" * 100_000).decode(),
]  # fmt: skip


@pytest.mark.parametrize("handle", ODD_HANDLES)
def test_what_is_no_handle_is_said_and_begins_a_session_so_that_nothing_is_lost(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, handle: object
) -> None:
    for _ in range(2):
        with sentrial.resume(handle) as session:
            session.track_tool_call("t", {}, {})
    (said,) = [record.message for record in caplog.records if record.name == "sentrial"]
    assert "is no handle: give what export() returned" in said
    assert sentrial.flush(10)
    assert sorted(span["name"] for span in server.spans) == ["execute_tool t"] * 2 + ["invoke_agent resumed"] * 2


def test_a_loud_client_raises_for_what_is_no_handle(server: SentrialStandIn) -> None:
    client = SentrialClient(api_key=KEY, api_url=server.url, fail_silently=False)
    with pytest.raises(ValueError, match=r"^'nonsense' is no handle"):
        client.resume("nonsense")
    with pytest.raises(ValueError, match=r"^'nonsense' is no session id"):
        client.attach("nonsense")


async def test_attach_makes_a_session_current_in_its_block_and_does_not_end_it(server: SentrialStandIn) -> None:
    client = SentrialClient()
    session_id = client.create_session("n", "agent", "u1")
    with sentrial.attach(session_id) as session:
        assert session.session_id == session_id
        assert is_current(session_id)
        trace.get_tracer("db").start_span("SELECT").end()
        with session.tool("t"):
            trace.get_tracer("db").start_span("INSERT").end()
    assert is_current(None)
    async with client.attach(session_id) as again:
        assert is_current(session_id)
        again.track_decision("why")
    assert is_current(None)
    assert client.complete_session(session_id) == {"id": session_id, "status": "completed", "success": True}
    spans = arrived(server)
    root = spans["invoke_agent agent"]["span_id"]
    assert {name: span["parent_span_id"] for name, span in spans.items()} == {
        "invoke_agent agent": None,
        "SELECT": root,
        "execute_tool t": root,
        "INSERT": spans["execute_tool t"]["span_id"],
        "decision agent": root,
    }
    assert {session_of(span) for span in spans.values()} == {session_id}


def test_attach_to_a_session_of_another_process(server: SentrialStandIn) -> None:
    session_id = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
    with sentrial.attach(session_id) as session:
        session.track_tool_call("t", {}, {})
        trace.get_tracer("db").start_span("SELECT").end()
    for span in arrived(server).values():
        assert (f"{span['trace_id']}-{span['parent_span_id']}", session_of(span)) == (session_id, session_id)


def test_attach_to_nothing_runs_the_block(server: SentrialStandIn, caplog: pytest.LogCaptureFixture) -> None:
    with sentrial.begin("u", "around") as around, sentrial.attach("nonsense") as session:
        assert is_current(around.session_id)
        session.track_tool_call("t", {}, {})
    (said,) = [record.message for record in caplog.records if record.name == "sentrial"]
    assert said.startswith("sentrial: 'nonsense' is no session id")
    spans = arrived(server)
    assert session_of(spans["execute_tool t"]) != around.session_id
    assert set(spans) == {"execute_tool t", "invoke_agent around"}


async def test_what_begin_and_attach_returned_stands_for_its_id(server: SentrialStandIn) -> None:
    client = SentrialClient()
    begun = client.begin("u1", "begun")
    door = await sentrial.AsyncSentrialClient().begin("u1", "door")
    sessions: list[Any] = [begun, door]
    for session in (*sessions, sentrial.attach(sessions[0])):
        assert client.track_tool_call(session, "t", {}, {})["sessionId"] == session.session_id
        with sentrial.attach(session) as attached:
            assert is_current(session.session_id)
            assert attached.session_id == session.session_id
    for session in sessions:
        assert client.complete_session(session)["id"] == session.session_id
    assert sentrial.flush(10)
    assert [span["name"] for span in server.spans].count("execute_tool t") == 3
