"""A failure of ours in production: it never reaches the user's program, is said once a place, and is counted."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sentrial
from receivers import SentrialStandIn
from running import run_program
from sentrial import SentrialClient, _guard
from sentrial._payload import Payload
from sentrial._session import Session
from sentrial._spans import amounts, failure, metadata, metrics, source
from sentrial._spans.decision import Decision
from sentrial._spans.llm_by_hand import LlmEvent
from sentrial._spans.tool import ToolCall
from sentrial.interaction import Interaction

KEY = "sentrial_live_0123456789"


class OurOwnError(Exception):
    """What only our own code raises, here."""


def fail(*args: object, **kwargs: object) -> Any:
    raise OurOwnError("broken on purpose")


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url)
        yield stand_in


# Where we fail, and how to.
PLACES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "the tracer": lambda patch: patch.setattr(source, "tracer", fail),
    "taking snapshots": lambda patch: patch.setattr("sentrial._payload.snapshot", fail),
    "adding content": lambda patch: patch.setattr(Payload, "_add", fail),
    "rendering": lambda patch: patch.setattr(Payload, "_render", fail),
    "reading numbers": lambda patch: patch.setattr(amounts, "number", fail),
    "writing values": lambda patch: patch.setattr("sentrial._spans.attribute.write_value", fail),
    "writing maps": lambda patch: patch.setattr(metadata, "_write_map", fail),
    "writing failures": lambda patch: patch.setattr(failure, "masked", fail),
    "recording metrics": lambda patch: patch.setattr(metrics, "wanted", fail),
    "counting": lambda patch: patch.setattr(Session, "add", fail),
    "counting calls": lambda patch: patch.setattr(Session, "add_call", fail),
    "counting costs": lambda patch: patch.setattr(Session, "add_cost", fail),
    "the context": lambda patch: patch.setattr("sentrial._session.parent_in", fail),
    "activating": lambda patch: patch.setattr("sentrial._session.Activation.__init__", fail),
    "stamping": lambda patch: patch.setattr("sentrial._export.tap.stamp", fail),
    "queueing": lambda patch: patch.setattr("sentrial._export.pipeline.Pipeline.take", fail),
    "masking": lambda patch: patch.setattr("sentrial._export.redact.mask_secrets", fail),
}


def use_everything(session: Interaction) -> list[Any]:
    """Every call that an interaction takes; what the program itself computes."""
    results: list[Any] = []
    with session.tool("search", {"q": 1}, reasoning="r", call_id="c", description="d", metadata={"a": 1}) as call:
        call.set_output({"found": 1})
        call.set_cost(0.5)
        call.set_error("words")
        results.append("tool ran")
    with session.decision("why", ["a"], 0.5, chosen="a", metadata={"a": 1}) as decision:
        decision.set_reasoning("because")
        decision.choose("a", 0.7)
        decision.set_usage(0.5, 10)
        results.append("decision ran")
    with session.llm("m", provider="openai", input="hi", metadata={"a": 1}) as model:
        model.set_output("ho", finish_reason="stop")
        model.set_usage(prompt_tokens=1, completion_tokens=2, estimated_cost=0.5)
        model.set_error("words")
        results.append("model ran")
    for told in (
        session.track_tool_call("t", {"a": 1}, {"b": 2}, "r", 0.5, "failed", 7, {"a": 1}, call_id="c", duration_ms=5),
        session.track_decision("why", ["a"], 0.5, 0.5, 7, {"a": 1}, chosen="a"),
        session.track_llm_call("m", input="a", output="b", prompt_tokens=1, estimated_cost=0.5, error="words"),
        session.track_error("what", "Kind", "t", "stack", {"a": 1}),
    ):
        assert type(told) is dict
    error = ValueError("the user's own")
    for block in (session.tool("t"), session.decision("d"), session.llm("m")):
        with pytest.raises(ValueError, match="the user's own") as caught, block:
            raise error
        results.append(caught.value is error)
    session.set_output("out")
    return results


RESULTS = ["tool ran", "decision ran", "model ran", True, True, True]


@pytest.mark.quiet_guard
@pytest.mark.parametrize("place", PLACES)
def test_a_failure_inside_an_interaction_never_reaches_the_program(
    place: str, server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session = sentrial.begin("u1", "support", input="hello")
    with monkeypatch.context() as patch:
        PLACES[place](patch)
        assert use_everything(session) == RESULTS
        assert type(session.finish(output="fine", custom_metrics={"m": 1})) is dict
        sentrial.flush(20)
    assert sum(_guard.failures.values()) > 0, "the failure was never met: the test shows nothing"
    said = [record.getMessage() for record in caplog.records if "sentrial failed at" in record.getMessage()]
    assert len(said) == len(set(said)) == len(_guard.failures)
    assert all("(OurOwnError: broken on purpose). Your program is not affected" in words for words in said)
    # And it is over with the failure.
    with sentrial.begin("u2", "after") as after:
        assert use_everything(after) == RESULTS
    assert sentrial.flush(20)
    assert "invoke_agent after" in {span["name"] for span in server.spans}


@pytest.mark.quiet_guard
@pytest.mark.parametrize("place", PLACES)
def test_a_failure_while_a_session_begins_and_ends_never_reaches_the_program(
    place: str, server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = SentrialClient()
    error = ValueError("the user's own")
    PLACES[place](monkeypatch)
    with sentrial.begin("u1", "support", input={"a": 1}, metadata={"b": 2}) as session:
        assert len(session.session_id) == 49
        session.set_output({"c": 3})
    with pytest.raises(ValueError, match="the user's own") as caught, sentrial.begin("u1", "support"):
        raise error
    assert caught.value is error
    session_id = client.create_session("n", "agent", "u1", metadata={"b": 2}, convo_id="c")
    assert len(session_id) == 49
    assert type(client.track_tool_call(session_id, "t", {}, {})) is dict
    assert type(client.track_decision(session_id, "why")) is dict
    assert type(client.track_error(session_id, "what")) is dict
    assert type(client.track_llm_call(session_id, "m", prompt_tokens=1)) is dict
    assert type(client.complete_session(session_id, custom_metrics={"m": 1}, estimated_cost=1, user_input="a")) is dict
    assert type(client.flush(20)) is bool


@pytest.mark.quiet_guard
def test_a_block_whose_event_could_not_be_made_runs_and_nothing_more_is_said_of_it(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kinds = (ToolCall, Decision, LlmEvent)
    for kind in kinds:
        monkeypatch.setattr(kind, "__init__", fail)
    with sentrial.begin("u1", "support") as session:
        with session.tool("search") as call:
            call.set_output(1)
            call.set_cost(0.5)
            call.set_error("words")
        with session.decision() as decision:
            decision.set_reasoning("because")
            decision.choose("a", 0.7)
            decision.set_usage(0.5, 10)
        with session.llm("m") as model:
            model.set_output("ho")
            model.set_usage(prompt_tokens=1)
            model.set_error("words")
    assert (type(call), type(decision), type(model)) == kinds
    assert _guard.failures == {"making an event": 3}
    (said,) = caplog.messages
    assert said.startswith("sentrial failed at making an event (OurOwnError: broken on purpose)")
    assert sentrial.flush(20)
    assert [span["name"] for span in server.spans] == ["invoke_agent support"]


@pytest.mark.quiet_guard
async def test_async_blocks_are_guarded_alike(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    PLACES["the tracer"](monkeypatch)
    async with sentrial.begin("u1", "support") as session, session.tool("t") as call, session.llm("m"):
        await asyncio.sleep(0)
        call.set_output(1)
    assert _guard.failures


@pytest.mark.quiet_guard
def test_what_else_was_recorded_arrives(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    with sentrial.begin("u1", "support") as session:
        with monkeypatch.context() as patch:
            PLACES["writing maps"](patch)
            session.track_tool_call("broken", {}, {}, metadata={"a": 1})
        session.track_tool_call("fine", {"a": 1}, {})
    assert sentrial.flush(20)
    names = {span["name"] for span in server.spans}
    assert {"invoke_agent support", "execute_tool fine"} <= names


def test_a_program_whose_recording_is_broken_runs_on_and_hears_of_it_once() -> None:
    done = run_program(
        """
        import sentrial
        from sentrial._spans import tool
        def broken(*args, **kwargs):
            raise RuntimeError("broken on purpose")
        tool.write_metadata = broken
        sentrial.configure(store=False)
        with sentrial.begin("u1", "support") as session:
            for n in range(100):
                with session.tool("t") as call:
                    call.set_output(n)
                session.track_tool_call("t", {}, {})
        from sentrial import _guard
        print(sum(_guard.failures.values()))
        """,
    )
    assert done.code == 0
    assert done.out == "200\n"
    assert done.err.count("sentrial failed at") == 1
    assert done.err.count("RuntimeError: broken on purpose") == 2  # in the line, and at the end of its stack


# --- the guard itself -------------------------------------------------------------------------------------------------


@pytest.mark.quiet_guard
def test_each_place_is_logged_once_and_counted_always(caplog: pytest.LogCaptureFixture) -> None:
    for n in range(5):
        _guard.failed("here", OurOwnError(n))
        _guard.note("there", OurOwnError(n))
    assert _guard.failures == {"here": 5, "there": 5}
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "sentrial failed at here", "sentrial failed at there",
    ]  # fmt: skip
    assert caplog.records[0].exc_info[0] is OurOwnError


def test_in_our_own_tests_a_failure_is_raised_where_it_happens() -> None:
    with pytest.raises(OurOwnError):
        _guard.failed("here", OurOwnError())
    _guard.forget()
    _guard.logger.handlers[-1].records.clear()


@pytest.mark.quiet_guard
def test_many_threads_say_a_thing_once(caplog: pytest.LogCaptureFixture) -> None:
    barrier = threading.Barrier(16)

    def say() -> None:
        barrier.wait()
        _guard.say_once("k", "once")
        _guard.note("p", OurOwnError())

    threads = [threading.Thread(target=say) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(record.getMessage()[:19] for record in caplog.records) == ["once", "sentrial failed at "]
    assert _guard.failures["p"] == 16


def test_a_program_that_finds_ever_new_things_to_say_is_not_flooded(caplog: pytest.LogCaptureFixture) -> None:
    for n in range(5_000):
        _guard.say_once(f"key {n}", "again")
    assert len(caplog.records) == _guard.MAX_SAID
    assert len(_guard._said) == _guard.MAX_SAID


@pytest.mark.quiet_guard
def test_words_that_cannot_be_read_are_no_failure_of_their_own(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    class RudeError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    _guard.failed("here", RudeError())
    assert "(RudeError: <RudeError, unreadable: RuntimeError>)" in caplog.text
    assert "Logging error" not in capsys.readouterr().err
    assert _guard.shown("x" * 500) == "'" + "x" * 199 + "..."


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_child_forked_while_a_thread_speaks_can_speak() -> None:
    done = run_program(
        """
        import os, sys, threading
        from sentrial import _guard
        held, release = threading.Event(), threading.Event()
        def hold():
            with _guard._lock:
                held.set()
                release.wait()
        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        child = os.fork()
        if child == 0:
            _guard.say_once("k", "the child speaks")
            os._exit(7)
        _, status = os.waitpid(child, 0)
        release.set()
        thread.join()
        print(os.waitstatus_to_exitcode(status))
        """
    )
    assert done.out == "7\n"
    assert "the child speaks" in done.err


def test_a_guarded_function_gives_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_guard, "strict", False)
    monkeypatch.setattr(_guard.logger, "disabled", True)

    @_guard.guarded("dividing", lambda: -1)
    def divide(a: int, b: int) -> int:
        """Divides."""
        return a // b

    assert divide(7, 2) == 3
    assert divide(7, b=0) == -1
    assert divide.__doc__ == "Divides."
    assert _guard.failures == {"dividing": 1}
    assert logging.getLogger("sentrial") is _guard.logger
