"""Pain H4: a session that runs for hours is seen from its start on; and after its end it is there once.

In the local store. Nothing of it goes to Sentrial or a collector: they get what they always got, when it has ended.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import sentrial
from receivers import OtlpHttpReceiver, SentrialStandIn
from running import run_program, running_program
from sentrial._store.connection import open_for_reading
from sentrial._store.failures import StoreUnusableError
from sentrial._store.read import list_sessions, read_session
from sentrial._store.summary import SessionSummary
from stored import sessions_in
from terminal import printed

BOUND_S = 15.0
"""Within which a session has to be seen, on a slow machine too."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def seen(path: Path, is_right: Callable[[SessionSummary], bool], within: float = 30.0) -> SessionSummary:
    """The one session in the store, once it ``is_right``."""
    deadline = time.monotonic() + within
    while True:
        found = []
        # Before the first session there is no file, and for a moment an empty one.
        with contextlib.suppress(StoreUnusableError):
            connection = open_for_reading(path)
            found = list_sessions(connection)
            connection.close()
        if found and is_right(found[0]):
            assert len(found) == 1
            return found[0]
        assert time.monotonic() < deadline, f"not within {within} s, but: {found}"
        time.sleep(0.02)


def test_a_session_is_seen_from_its_start_to_its_end_and_counts_once(path: Path) -> None:
    sentrial.configure(store=str(path))
    began_ns = time.time_ns()
    session = sentrial.begin("user_1", "support-agent", input="hello", convo_id="conv_1")
    first = seen(path, lambda found: True, BOUND_S)
    assert (first.session_id, first.agent, first.user, first.conversation) == (
        session.session_id,
        "support-agent",
        "user_1",
        "conv_1",
    )
    assert (first.status, first.events, first.total_tokens, first.cost) == ("running", 0, None, None)
    assert began_ns <= first.start_ns <= time.time_ns()

    with session.llm("gpt-4o", provider="openai", input="hi") as call:
        call.set_output("ho")
        call.set_usage(prompt_tokens=100, completion_tokens=10, estimated_cost=0.25)
    session.track_tool_call("search", {"q": 1}, {"r": 2}, estimated_cost=0.5)
    so_far = seen(path, lambda found: found.events == 2)
    assert (so_far.status, so_far.start_ns, so_far.llm_calls, so_far.tool_calls) == ("running", first.start_ns, 1, 1)
    assert (so_far.input_tokens, so_far.output_tokens, so_far.total_tokens, so_far.cost) == (100, 10, 110, 0.75)
    connection = open_for_reading(path)
    shown = read_session(connection, session.session_id)
    connection.close()
    assert shown is not None
    assert (shown.root, [event.name for event in shown.events]) == (None, ["chat gpt-4o", "execute_tool search"])

    session.finish(output="bye")
    assert sentrial.flush(10)
    ended = seen(path, lambda found: found.status != "running")
    assert (ended.status, ended.events, ended.llm_calls, ended.tool_calls) == ("completed", 2, 1, 1)
    assert (ended.input_tokens, ended.output_tokens, ended.total_tokens, ended.cost) == (100, 10, 110, 0.75)
    (whole,) = sessions_in(path)
    assert whole.outline == ["invoke_agent support-agent", "  chat gpt-4o", "  execute_tool search"]
    assert sentrial.stats() == {"local store": {"stored": 3}}


def test_sentrial_and_the_collector_get_what_they_always_got(path: Path) -> None:
    with SentrialStandIn() as server, OtlpHttpReceiver() as collector:
        sentrial.configure(
            api_key="sentrial_test_key",
            api_url=server.url,
            otlp_endpoint=collector.url,
            store=str(path),
            flush_interval=0.01,
        )
        session = sentrial.begin("user_1", "agent")
        seen(path, lambda found: found.status == "running")
        assert (server.requests, collector.requests) == ([], [])
        session.finish()
        assert sentrial.flush(10)
        assert [span["name"] for span in server.spans] == ["invoke_agent agent"]
        assert [span["name"] for span in collector.spans] == ["invoke_agent agent"]
        assert {counts["stored"] for counts in sentrial.stats().values()} == {1}
        sentrial.shutdown(timeout=0.1)


def test_where_the_store_is_the_only_place_it_is_seen_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    session = sentrial.begin("user_1", "agent")
    place = tmp_path / "home" / ".local" / "share" / "sentrial" / "sessions.db"
    assert seen(place, lambda found: True).status == "running"
    session.finish()


def test_in_a_joined_provider_it_is_seen_too_and_others_see_no_more_than_before(path: Path) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    trace.set_tracer_provider(provider)
    sentrial.configure(store=str(path))
    session = sentrial.begin("user_1", "agent")
    with trace.get_tracer("db").start_as_current_span("SELECT"):
        assert seen(path, lambda found: found.agent == "agent").events == 0
    session.finish()
    assert sentrial.flush(10)
    (whole,) = sessions_in(path)
    assert whole.outline == ["invoke_agent agent", "  SELECT"]
    provider.shutdown()


def test_a_sub_agent_makes_no_session_of_its_own(path: Path) -> None:
    sentrial.configure(store=str(path))
    with sentrial.begin("user_1", "outer") as outer, sentrial.begin("user_1", "inner"):
        assert seen(path, lambda found: True).session_id == outer.session_id
        assert sentrial.flush(10)
        assert seen(path, lambda found: True).agent == "outer"
    assert sentrial.flush(10)
    (whole,) = sessions_in(path)
    assert whole.outline == ["invoke_agent outer", "  invoke_agent inner"]


def test_a_session_that_ends_at_once_leaves_one_row_and_no_trace_of_its_start(path: Path) -> None:
    sentrial.configure(store=str(path))
    for number in range(50):
        with sentrial.begin(f"user_{number}", "agent"):
            pass
    assert sentrial.flush(10)
    assert [each.summary.status for each in sessions_in(path)] == ["completed"] * 50
    assert sentrial.stats() == {"local store": {"stored": 50}}


def test_an_unsampled_session_is_not_seen(path: Path) -> None:
    sentrial.configure(store=str(path), sample_rate=0.0)
    with sentrial.begin("user_1", "agent"):
        assert sentrial.flush(10)
    assert sentrial.flush(10)
    assert not path.exists()


def test_a_full_queue_counts_no_start_as_lost(path: Path) -> None:
    sentrial.configure(store=str(path), queue_size=1, flush_interval=30.0)
    sessions = [sentrial.begin(f"user_{number}", "agent") for number in range(3)]
    for session in sessions:
        session.finish()
    assert sentrial.flush(10)
    counts = sentrial.stats()["local store"]
    assert counts["stored"] + counts.get("queue full", 0) == 3


OPEN = """
import json
import sentrial
session = sentrial.begin("user_1", "agent")
session.track_tool_call("search", {}, {})
sentrial.flush(10)
print(json.dumps(session.session_id), flush=True)
"""


def test_a_program_that_is_killed_leaves_a_session_that_says_so(path: Path) -> None:
    program = running_program(OPEN + "input()", {"SENTRIAL_STORE": str(path)})
    assert program.stdout is not None
    session_id = json.loads(program.stdout.readline())
    try:
        listed = printed("sessions", "list", "--store", path, "--status", "running").splitlines()
    finally:
        program.kill()
        program.communicate(timeout=30)
    assert len(listed) == 2
    assert listed[1].startswith(session_id[:8])
    document = json.loads(printed("sessions", "show", session_id, "--json", "--store", path))
    assert (document["session"]["status"], document["session"]["events"]) == ("abandoned", 1)
    assert document["session"]["failure_reason"] == "left behind: the process that ran it is gone"
    assert "no session matches" in printed("sessions", "list", "--store", path, "--status", "running")


def test_a_program_that_ends_ends_its_sessions(path: Path) -> None:
    ran = run_program(OPEN, {"SENTRIAL_STORE": str(path)})
    assert ran.code == 0
    (whole,) = sessions_in(path)
    assert (whole.summary.status, whole.summary.failure_reason) == ("abandoned", None)


@pytest.fixture
def watching(path: Path) -> Iterator[Callable[[], dict[str, Any]]]:
    """What ``sentrial sessions tail --json`` says, line by line."""
    command = [sys.executable, "-m", "sentrial.cli", "sessions", "tail", "--json", "--store", str(path)]
    tail = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert tail.stderr is not None
    assert tail.stderr.readline() == f"there is no local store at {path} yet; waiting for one\n"

    def line() -> dict[str, Any]:
        assert tail.stdout is not None
        document: dict[str, Any] = json.loads(tail.stdout.readline())
        return document

    yield line
    tail.kill()
    tail.communicate(timeout=30)


def test_tail_tells_of_it_while_it_goes_on(path: Path, watching: Callable[[], dict[str, Any]]) -> None:
    sentrial.configure(store=str(path))
    began = time.monotonic()
    session = sentrial.begin("user_1", "agent")
    started = watching()
    assert time.monotonic() - began < BOUND_S
    assert (started["change"], started["session"]["id"], started["session"]["status"]) == (
        "started",
        session.session_id,
        "running",
    )
    session.track_tool_call("search", {"q": "x" * 400}, {}, estimated_cost=0.5)
    event = watching()
    assert (event["change"], event["event"]["name"], event["session"]["cost_usd"]) == (
        "event",
        "execute_tool search",
        0.5,
    )
    assert event["event"]["attributes"]["gen_ai.tool.call.arguments"] == json.dumps(
        {"q": "x" * 400}, separators=(",", ":")
    )
    session.finish(success=False, failure_reason="no")
    ended = watching()
    assert (ended["change"], ended["session"]["status"], ended["session"]["cost_usd"], ended["session"]["events"]) == (
        "ended",
        "failed",
        0.5,
        1,
    )
