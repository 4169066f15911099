"""How a session ends, and what becomes of events that come at the wrong time."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import sentrial
from receivers import SentrialStandIn
from running import arrived, id_of, is_current, session_of
from sentrial import SentrialClient
from sentrial._spans import root

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


@pytest.fixture
def client(server: SentrialStandIn) -> SentrialClient:
    return SentrialClient(api_key=KEY, api_url=server.url)


class OutOfStockError(Exception):
    """A user's own exception."""


def test_an_exception_that_leaves_the_block_fails_the_session(server: SentrialStandIn) -> None:
    def sell() -> None:
        with sentrial.begin("u", "agent") as session:
            session.set_output("so far")
            raise OutOfStockError("none left")

    with pytest.raises(OutOfStockError, match=r"^none left$"):
        sell()
    root = arrived(server)["invoke_agent agent"]
    attributes = root["attributes"]
    assert (root["status_code"], root["status_message"]) == (2, "OutOfStockError: none left")
    assert attributes["error.type"] == f"{__name__}.OutOfStockError"
    assert attributes["sentrial.session.outcome"] == "failed"
    assert attributes["sentrial.session.success"] is False
    assert attributes["sentrial.session.failure_reason"] == "OutOfStockError: none left"
    assert attributes["output.value"] == "so far"
    (event,) = root["events"]
    assert event["name"] == "exception"
    assert event["attributes"]["exception.type"] == f"{__name__}.OutOfStockError"
    assert event["attributes"]["exception.message"] == "none left"
    assert "none left" in event["attributes"]["exception.stacktrace"]


WAYS_TO_LEAVE = [
    asyncio.CancelledError, concurrent.futures.CancelledError, KeyboardInterrupt, GeneratorExit, SystemExit,
    StopIteration, StopAsyncIteration,
]  # fmt: skip


@pytest.mark.parametrize("kind", WAYS_TO_LEAVE)
def test_a_way_to_leave_is_no_failure(server: SentrialStandIn, kind: type[BaseException]) -> None:
    with pytest.raises(kind), sentrial.begin("u", "agent"):
        raise kind
    root = arrived(server)["invoke_agent agent"]
    assert (root["status_code"], root["status_message"], root["events"]) == (0, "", [])
    assert root["attributes"]["sentrial.session.outcome"] == "cancelled"
    assert "sentrial.session.success" not in root["attributes"]
    assert "error.type" not in root["attributes"]


async def test_a_cancelled_task_leaves_a_cancelled_session(server: SentrialStandIn) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with sentrial.begin("u", "agent"):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    root = arrived(server)["invoke_agent agent"]
    assert (root["attributes"]["sentrial.session.outcome"], root["status_code"]) == ("cancelled", 0)


def test_a_tracked_error_fails_the_session_unless_finish_says_otherwise(server: SentrialStandIn) -> None:
    failing = sentrial.begin("u", "failing")
    failing.track_error("disk full", "DiskError")
    assert failing.finish() == {"id": failing.session_id, "status": "failed", "success": False}
    saved = sentrial.begin("u", "saved")
    saved._session.span.update_name("invoke_agent saved")
    saved.track_tool_call("t", {}, {})
    assert saved.finish(success=True)["success"] is True

    spans = arrived(server)
    root, error = spans["invoke_agent failing"], spans["error"]
    assert (root["status_code"], root["status_message"]) == (2, "disk full")
    assert root["attributes"]["sentrial.session.failure_reason"] == "disk full"
    assert root["attributes"]["error.type"] == "_OTHER"
    assert root["attributes"]["sentrial.session.errors"] == 1
    assert (error["status_code"], error["attributes"]["error.type"]) == (2, "DiskError")
    assert [event["attributes"]["exception.message"] for event in error["events"]] == ["disk full"]
    assert spans["invoke_agent saved"]["status_code"] == 0


def test_success_in_spite_of_an_error_is_success(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "agent") as session:
        session.track_error("retried", "Timeout")
        session.finish("done", success=True)
    root = arrived(server)["invoke_agent agent"]
    assert (root["status_code"], root["attributes"]["sentrial.session.outcome"]) == (0, "completed")
    assert root["attributes"]["sentrial.session.errors"] == 1


def test_an_error_in_a_block_that_ends_well_fails_the_session(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "agent") as session:
        session.track_error("not good", "Broken")
    assert arrived(server)["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] == "failed"


def test_events_after_the_end_are_sent_and_marked(server: SentrialStandIn, client: SentrialClient) -> None:
    session_id = client.create_session("n", "agent", "u", convo_id="c")
    client.track_tool_call(session_id, "early", {}, {})
    client.complete_session(session_id)
    client.track_tool_call(session_id, "late", {}, {})
    client.track_decision(session_id, "late")
    client.track_error(session_id, "late")
    client.track_llm_call(session_id, "gpt-4o", provider="openai", prompt_tokens=1)
    spans = arrived(server)
    assert set(spans) == {
        "invoke_agent agent",
        "execute_tool early",
        "execute_tool late",
        "decision agent",
        "error",
        "chat gpt-4o",
    }
    assert {name for name, span in spans.items() if span["attributes"].get("sentrial.late")} == {
        "execute_tool late",
        "decision agent",
        "error",
        "chat gpt-4o",
    }
    root = spans.pop("invoke_agent agent")
    for span in spans.values():
        assert (span["trace_id"], span["parent_span_id"]) == (root["trace_id"], root["span_id"])
        assert session_of(span) == session_id
        assert (span["attributes"]["user.id"], span["attributes"]["session.id"]) == ("u", "c")
    assert spans["chat gpt-4o"]["attributes"]["gen_ai.conversation.id"] == "c"
    assert root["attributes"]["sentrial.session.tool_calls"] == 1


def test_completing_twice_counts_once(
    server: SentrialStandIn, client: SentrialClient, caplog: pytest.LogCaptureFixture
) -> None:
    session_id = client.create_session("n", "agent", "u")
    assert client.complete_session(session_id, success=True) == {
        "id": session_id,
        "status": "completed",
        "success": True,
    }
    assert client.complete_session(session_id, success=False) == {}
    assert client.complete_session(session_id, success=False) == {}
    assert arrived(server)["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] == "completed"
    assert [record.levelno for record in caplog.records if "completed already" in record.message] == [logging.WARNING]


def test_finishing_twice_counts_once(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent")
    assert session.finish("one")["status"] == "completed"
    assert session.finish("two", success=False) == {}
    with session:  # ends it a third time
        pass
    attributes = arrived(server)["invoke_agent agent"]["attributes"]
    assert attributes["sentrial.session.success"] is True
    assert attributes["output.value"] == "one"


@pytest.mark.parametrize("session_id", ["nonsense", "", "0" * 32 + "-" + "0" * 16, "+" + "1" * 31 + "-" + "1" * 16, 7])
def test_an_unknown_id_is_said_once_and_gives_an_empty_answer(
    server: SentrialStandIn, client: SentrialClient, caplog: pytest.LogCaptureFixture, session_id: Any
) -> None:
    assert client.track_tool_call(session_id, "t", {}, {}) == {}
    assert client.track_decision(session_id, "r") == {}
    assert client.track_error(session_id, "e") == {}
    assert client.track_llm_call(session_id, "m") == {}
    assert client.complete_session(session_id) == {}
    assert client.complete_session("another") == {}
    said = [record.message for record in caplog.records if record.name == "sentrial"]
    assert len(said) == 1
    assert repr(session_id) in said[0]
    assert arrived(server) == {}


def test_a_loud_client_raises_for_what_a_quiet_one_logs(server: SentrialStandIn) -> None:
    client = SentrialClient(api_key=KEY, api_url=server.url, fail_silently=False)
    with pytest.raises(ValueError, match=r"^'nonsense' is no session id: give what create_session\(\) returned"):
        client.track_tool_call("nonsense", "t", {}, {})
    session_id = client.create_session("n", "agent", "u")
    client.complete_session(session_id)
    with pytest.raises(ValueError, match="is completed already"):
        client.complete_session(session_id)


def test_a_session_of_another_process_is_completed_by_a_span_of_its_own(
    server: SentrialStandIn, client: SentrialClient
) -> None:
    session_id = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
    client.track_tool_call(session_id, "t", {}, {})
    assert client.complete_session(
        session_id, success=False, failure_reason="no", prompt_tokens=7, completion_tokens=5, assistant_output="bye"
    ) == {"id": session_id, "status": "failed", "success": False}
    assert client.complete_session(session_id) == {}
    spans = arrived(server)
    assert set(spans) == {"execute_tool t", "session completed"}
    for span in spans.values():
        assert (span["trace_id"], span["parent_span_id"]) == tuple(session_id.split("-"))
        assert session_of(span) == session_id
    end = spans["session completed"]
    assert (end["status_code"], end["status_message"]) == (2, "no")
    attributes = end["attributes"]
    assert {key: value for key, value in attributes.items() if key.startswith("sentrial.")} == {
        "sentrial.event.type": "session",
        "sentrial.session.id": session_id,
        "sentrial.session.outcome": "failed",
        "sentrial.session.success": False,
        "sentrial.session.failure_reason": "no",
        "sentrial.usage.input_tokens": 7,
        "sentrial.usage.output_tokens": 5,
        "sentrial.usage.total_tokens": 12,
    }
    assert attributes["output.value"] == "bye"
    # A key of the conventions on a span that is no operation of theirs would violate them.
    assert [key for key in attributes if key.startswith("gen_ai.")] == []


def test_a_session_nobody_touches_ends_as_abandoned(server: SentrialStandIn, client: SentrialClient) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, session_timeout=0.05)
    forgotten = client.create_session("n", "forgotten", "u")
    deadline = threading.Event()
    while "invoke_agent forgotten" not in arrived(server):
        deadline.wait(0.03)
        client.complete_session(client.create_session("n", f"next{len(server.spans)}", "u"))
    root = arrived(server)["invoke_agent forgotten"]
    assert id_of(root) == forgotten
    assert root["attributes"]["sentrial.session.outcome"] == "abandoned"
    assert "sentrial.session.success" not in root["attributes"]
    assert root["status_code"] == 0
    client.track_tool_call(forgotten, "afterwards", {}, {})
    late = arrived(server)["execute_tool afterwards"]
    assert (late["parent_span_id"], late["attributes"]["sentrial.late"]) == (root["span_id"], True)


def test_a_shutdown_ends_what_is_open_sub_agents_first(server: SentrialStandIn) -> None:
    with sentrial.begin("u", "outer") as outer:
        inner = sentrial.begin("u", "inner")  # its finish() is forgotten
        inner.track_tool_call("t", {}, {})
        sentrial.shutdown()
        assert outer.finish() == {}
    spans = {span["name"]: span for span in server.wait_for_spans(3)}
    assert spans["execute_tool t"]["parent_span_id"] == spans["invoke_agent inner"]["span_id"]
    assert spans["invoke_agent inner"]["parent_span_id"] == spans["invoke_agent outer"]["span_id"]
    outcomes = [spans[f"invoke_agent {name}"]["attributes"]["sentrial.session.outcome"] for name in ("inner", "outer")]
    assert outcomes == ["abandoned", "abandoned"]


@pytest.mark.quiet_guard
def test_a_failure_while_ending_still_ends_the_session(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = sentrial.begin("u", "agent")
    monkeypatch.setattr(root, "write_metrics", _fail)
    assert session.finish(success=False) == {}
    assert is_current(None)
    assert id_of(arrived(server)["invoke_agent agent"]) == session.session_id
    assert session.finish() == {}


def _fail(*args: object) -> None:
    raise RuntimeError("a fault of our own")
