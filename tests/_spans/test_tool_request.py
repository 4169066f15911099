"""Which request a run is of: by tool and arguments, where nobody knows the model's name for it."""

from __future__ import annotations

import datetime
import enum
import os
import signal
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from sentrial._session import Session
from sentrial._spans import llm, root, tool_request
from sentrial._spans.root import Opening
from sentrial._spans.tool import ToolCall
from sentrial._spans.tool_request import MAX_ANSWERS, MAX_REQUESTED
from sentrial.types import Deferred, LlmRequest, LlmResponse, Message, Part
from written import Writing

Call = tuple[str, str | None, Any]


def answer(session: Session, *calls: Call, finish_reasons: tuple[str, ...] = ("tool_call",)) -> int:
    """A model call whose answer asks for ``calls``; gives its span's id."""
    message = Message("assistant", [Part.tool_call(name, call_id, arguments) for name, call_id, arguments in calls])
    call = llm.begin(LlmRequest("chat", "openai", "m"), session=session)
    ids = [call_id for _, call_id, _ in calls if call_id]
    output = Deferred([message.to_json()], lambda _copy: [message])
    call.succeed(LlmResponse(finish_reasons=finish_reasons, tool_call_ids=ids, output=output))
    return call.span.get_span_context().span_id


def found(session: Session, name: str, arguments: dict[str, Any]) -> tuple[int, str | None] | None:
    request = tool_request.take(session, name, arguments)
    return None if request is None else (request.context.span_id, request.call_id)


class Unit(enum.Enum):
    CELSIUS = "c"


@dataclass
class Place:
    city: str
    country: str = "nl"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({}, {}),
        ({}, {"limit": 10}),
        ({"city": "Rome"}, {"city": "Rome", "limit": 10}),
        ({"city": "Rome", "limit": None}, {"city": "Rome"}),
        ({"days": [1, 2]}, {"days": (1, 2)}),
        ({"unit": "c"}, {"unit": Unit.CELSIUS}),
        ({"day": "2026-03-01"}, {"day": datetime.date(2026, 3, 1)}),
        ({"place": {"city": "Delft"}}, {"place": Place("Delft")}),
        ({"city": "Delft"}, {"place": Place("Delft")}),
        ({"city": "Delft"}, {"arguments": {"city": "Delft"}}),
        ("print(1)", {"code": "print(1)"}),
    ],
)
def test_a_run_fits_a_request_whose_arguments_it_has(session: Session, asked: Any, given: dict[str, Any]) -> None:
    model_call = answer(session, ("t", "call_1", asked))
    assert found(session, "t", given) == (model_call, "call_1")
    assert found(session, "t", given) is None


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({"city": "Rome"}, {}),
        ({"city": "Rome"}, {"city": "Oslo"}),
        ({"city": "Rome"}, {"town": "Rome"}),
        ({"days": [1]}, {"days": [1, 2]}),
        ("print(1)", {"code": "print(2)"}),
        ("print(1)", {"code": "print(1)", "timeout": 3}),
        ({"unit": None}, {"unit": object()}),
    ],
)
def test_a_run_with_other_arguments_does_not(session: Session, asked: Any, given: dict[str, Any]) -> None:
    answer(session, ("t", "call_1", asked))
    assert found(session, "t", given) is None


def test_the_request_that_names_more_of_the_arguments_is_the_one(session: Session) -> None:
    model_call = answer(session, ("t", "a", {"q": "x"}), ("t", "b", {"q": "x", "limit": 5}))
    assert found(session, "t", {"q": "x", "limit": 5}) == (model_call, "b")
    assert found(session, "t", {"q": "x", "limit": 5}) == (model_call, "a")


def test_an_answer_without_ids_links_all_the_same(session: Session) -> None:
    model_call = answer(session, ("t", None, {"q": "x"}))
    assert found(session, "t", {"q": "x"}) == (model_call, None)


def test_a_run_that_is_told_by_its_id_leaves_the_others(session: Session) -> None:
    model_call = answer(session, ("t", "a", {"q": "x"}), ("t", "b", {"q": "x"}))
    ToolCall(session, "t", {"q": "x"}, call_id="a").end()
    # Which of the two is left could be told by now; but this run may be a repetition of the first one.
    assert found(session, "t", {"q": "x"}) == (model_call, None)
    ToolCall(session, "t", {"q": "x"}, call_id="b").end()
    assert found(session, "t", {"q": "x"}) is None


def test_a_sub_agent_runs_what_the_agent_above_was_asked(session: Session, recorder: Writing) -> None:
    model_call = answer(session, ("t", "a", {"q": "x"}))
    inner = Session(session.span, session.context, agent_name="inner", user_id=None, parent=session)
    assert found(inner, "t", {"q": "x"}) == (model_call, "a")
    other = root.open_session(Opening("other", "u"), nested=False)
    answer(session, ("t", "b", {"q": "x"}))
    assert found(other, "t", {"q": "x"}) is None


class Coming:
    """An answer that comes piece by piece: ``said`` is what has come of it."""

    def __init__(self, session: Session, *said: Call, operation: str = "chat") -> None:
        self.said = said
        self._call = llm.begin(LlmRequest(operation, "openai", "m", stream=True), session=session)
        self._call.follow(self.so_far)
        self.span_id = self._call.span.get_span_context().span_id

    def so_far(self) -> LlmResponse:
        message = Message(
            "assistant", [Part.tool_call(name, call_id, arguments) for name, call_id, arguments in self.said]
        )
        ids = [call_id for _, call_id, _ in self.said if call_id]
        output = Deferred([message.to_json()], lambda _copy: [message])
        return LlmResponse(finish_reasons=["tool_call"], tool_call_ids=ids, output=output)

    def end(self, response: LlmResponse | None = None) -> None:
        self._call.succeed(response)


def test_a_run_finds_its_request_in_an_answer_that_is_coming(session: Session) -> None:
    coming = Coming(session)
    assert found(session, "t", {"q": "x"}) is None
    coming.said = (("t", "a", {"q": "x"}),)
    assert found(session, "t", {"q": "x"}) == (coming.span_id, "a")
    assert found(session, "t", {"q": "x"}) is None


@pytest.mark.parametrize("call_id", ["a", None])
def test_what_was_run_while_the_answer_came_is_not_found_again_when_it_has_come(
    session: Session, call_id: str | None
) -> None:
    coming = Coming(session, ("t", call_id, {"q": "x"}))
    assert found(session, "t", {"q": "x"}) == (coming.span_id, call_id)
    coming.said = (*coming.said, ("t", None, {"q": "x"}), ("t", "b", {"q": "y"}))
    coming.end(coming.so_far())
    assert found(session, "t", {"q": "x"}) == (coming.span_id, None)
    assert found(session, "t", {"q": "x"}) is None
    assert found(session, "t", {"q": "y"}) == (coming.span_id, "b")


def test_a_run_that_is_told_by_its_id_finds_it_in_an_answer_that_is_coming(session: Session, recorder: Writing) -> None:
    older = answer(session, ("t", "a", {"q": "x"}))
    coming = Coming(session, ("t", "a", {"q": "x"}))
    ToolCall(session, "t", {"q": "x"}, call_id="a").end()
    coming.end(coming.so_far())
    assert found(session, "t", {"q": "x"}) == (older, "a")


def test_an_answer_that_breaks_off_before_it_asks_is_forgotten(session: Session) -> None:
    coming = Coming(session, ("t", "a", {"q": "x"}))
    coming.end()
    assert found(session, "t", {"q": "x"}) is None
    assert tool_request.take_named(session, "a") is None


def test_a_fetched_answer_asks_for_what_nobody_has_asked_for_before(session: Session) -> None:
    first = Coming(session, ("t", "a", {"q": "x"}))
    first.end(first.so_far())
    again = Coming(session, ("t", "a", {"q": "x"}), ("t", "b", {"q": "y"}), operation="fetch_response")
    again.end(again.so_far())
    assert found(session, "t", {"q": "x"}) == (first.span_id, "a")
    assert found(session, "t", {"q": "y"}) == (again.span_id, "b")


def test_an_answer_that_asks_for_nothing_is_not_kept(session: Session) -> None:
    answer(session, finish_reasons=("stop",))
    assert session.requests is None


def test_no_more_answers_are_kept_than_a_loop_can_need(session: Session) -> None:
    first = answer(session, ("t", "first", {"q": -1}))
    for number in range(MAX_ANSWERS):
        answer(session, ("t", f"call_{number}", {"q": number}))
    assert found(session, "t", {"q": -1}) is None
    assert found(session, "t", {"q": 0}) is not None
    assert session.requested_by["first"].span_id == first


def test_no_more_ids_are_remembered_than_a_session_can_need(session: Session) -> None:
    answer(session, ("t", "first", {}))
    call = llm.begin(LlmRequest("chat", "openai", "m"), session=session)
    call.succeed(LlmResponse(tool_call_ids=[str(number) for number in range(MAX_REQUESTED)]))
    assert len(session.requested_by) == MAX_REQUESTED
    assert "first" not in session.requested_by


def test_each_request_is_taken_once_by_threads_that_run_at_once(session: Session) -> None:
    answer(session, *(("t", f"call_{number}", {"q": number}) for number in range(40)))
    taken: list[tuple[int, str | None] | None] = []

    def take() -> None:
        taken.extend(found(session, "t", {"q": number}) for number in range(40))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each[1] or "" for each in taken if each) == sorted(f"call_{number}" for number in range(40))


@pytest.mark.quiet_guard
def test_an_answer_that_cannot_be_read_costs_the_link_alone(session: Session, recorder: Writing) -> None:
    def broken(_copy: Any) -> list[Message]:
        raise ValueError("odd")

    call = llm.begin(LlmRequest("chat", "openai", "m"), session=session)
    call.succeed(LlmResponse(tool_call_ids=["a"], output=Deferred([], broken)))
    ToolCall(session, "t", {}).end()
    assert recorder.last.span.name == "execute_tool t"
    assert recorder.last.span.links == ()


def test_what_is_given_may_wait_for_what_another_thread_does_in_a_model_call(session: Session) -> None:
    span_id = answer(session, ("look_up", "call_1", {"city": "Utrecht"}))
    shown = threading.Event()
    lock = threading.Lock()

    class State:
        def __repr__(self) -> str:
            shown.set()
            with lock:
                return "State"

    def ask() -> None:
        shown.wait(30)
        answer(session, ("another", "call_2", {}))
        lock.release()

    lock.acquire()
    other = threading.Thread(target=ask, daemon=True)
    other.start()
    taken: list[Any] = []
    run = threading.Thread(
        target=lambda: taken.append(found(session, "look_up", {"city": "Utrecht", "state": State()})), daemon=True
    )
    run.start()
    run.join(30)
    assert taken == [(span_id, "call_1")]


def test_runs_of_the_same_in_many_threads_take_a_request_each(session: Session) -> None:
    span_id = answer(session, *[("look_up", f"call_{number}", {"city": "Utrecht"}) for number in range(20)])
    barrier = threading.Barrier(20)
    taken: list[Any] = []

    def run() -> None:
        barrier.wait(30)
        taken.append(found(session, "look_up", {"city": "Utrecht"}))

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [each[0] for each in taken] == [span_id] * 20
    assert found(session, "look_up", {"city": "Utrecht"}) is None


class Ending(Session):
    """One that another thread ends just when somebody has found its requests."""

    __slots__ = ("kept",)

    @property
    def requests(self) -> Any:
        found, self.kept = self.kept, None
        return found

    @requests.setter
    def requests(self, value: Any) -> None:
        self.kept = value


def test_an_answer_that_comes_while_its_session_ends_is_taken(session: Session) -> None:
    ending = Ending(session.span, session.context, agent_name="support", user_id="u1")
    ending.requests = tool_request.Requests()
    tool_request.follow(ending, session.context, lambda: None)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_finds_what_the_parent_asked_for_while_another_thread_was_looking(session: Session) -> None:
    answer(session, ("find", "call_1", {"n": 1}))
    inside, go = threading.Event(), threading.Event()

    def look() -> None:
        with tool_request._lock:
            inside.set()
            assert go.wait(30)

    thread = threading.Thread(target=look)
    thread.start()
    assert inside.wait(30)
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(30)
            taken = found(session, "find", {"n": 1})
            os._exit(0 if taken is not None and taken[1] == "call_1" else 1)
        finally:
            os._exit(99)
    go.set()
    thread.join(30)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
