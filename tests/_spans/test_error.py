from __future__ import annotations

import time

import pytest
from opentelemetry.trace import SpanKind

from sentrial._session import Session
from sentrial._spans.error import record_error
from sentrial._spans.failure import MAX_STACK, MAX_WORDS
from written import Writing


def test_a_told_error_is_a_span_with_the_exception_event(recorder: Writing, session: Session) -> None:
    before = time.time_ns()
    record_error(
        session, "no route", "ConnectionError", tool_name="search", stack_trace="at x.py:1", metadata={"try": 2}
    )
    span = recorder.named("error")
    assert span.span.kind is SpanKind.INTERNAL
    assert before < span.span.start_time < span.span.end_time < time.time_ns()
    assert span.status == ("ERROR", "no route")
    assert span.span.parent.span_id == session.context.span_id
    assert span.attributes == {
        "sentrial.session.id": session.id,
        "session.id": "c1",
        "user.id": "u1",
        "openinference.span.kind": "CHAIN",
        "sentrial.event.type": "error",
        "error.type": "ConnectionError",
        "sentrial.metadata.tool_name": "search",
        "sentrial.metadata.try": 2,
    }
    assert span.events == [
        (
            "exception",
            {
                "exception.type": "ConnectionError",
                "exception.message": "no route",
                "exception.stacktrace": "at x.py:1",
            },
        )
    ]
    assert session.totals.errors == 1


def test_without_a_type_it_is_other(recorder: Writing, session: Session) -> None:
    record_error(session, "what")
    assert recorder.last.attributes["error.type"] == "_OTHER"
    assert recorder.last.events == [("exception", {"exception.type": "_OTHER", "exception.message": "what"})]


def test_an_exception_says_its_type_and_stack_itself(recorder: Writing, session: Session) -> None:
    try:
        raise KeyError("missing")
    except KeyError as error:
        record_error(session, error)
    ((_, event),) = recorder.last.events
    assert recorder.last.attributes["error.type"] == "KeyError"
    assert recorder.last.status == ("ERROR", "'missing'")
    assert event["exception.type"] == "KeyError"
    assert event["exception.stacktrace"].endswith("KeyError: 'missing'\n")


def test_words_and_stacks_are_cut_without_half_a_secret(recorder: Writing, session: Session) -> None:
    secret = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz"
    for shift in range(0, 60, 5):
        words = "w" * (MAX_WORDS - shift) + f" {secret} " + "w" * 50_000
        stack = "s" * 50_000 + f" {secret} " + "s" * (MAX_STACK - shift)
        record_error(session, words, stack_trace=stack)
        ((_, event),) = recorder.last.events
        assert MAX_WORDS - len(secret) < len(event["exception.message"]) <= MAX_WORDS
        assert MAX_STACK - len(secret) < len(event["exception.stacktrace"]) <= MAX_STACK
        assert event["exception.stacktrace"].endswith("s")
        for text in (*event.values(), recorder.last.status[1]):
            assert "0123456789" not in text
            assert "uvwxyz" not in text


@pytest.mark.parametrize("odd", [7, None, ["a"], b"x"])
def test_odd_words_types_and_stacks_are_taken(recorder: Writing, session: Session, odd: object) -> None:
    record_error(session, odd, odd, tool_name=odd, stack_trace=odd, metadata=odd)
    assert recorder.last.status[0] == "ERROR"
    assert recorder.last.attributes["error.type"] in (str(odd), "_OTHER")


def test_words_that_cannot_be_read_or_encoded_are_taken(recorder: Writing, session: Session) -> None:
    class RudeError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    record_error(session, RudeError())
    assert recorder.last.status == ("ERROR", "(its words cannot be read)")
    record_error(session, "lone \ud800 surrogate", stack_trace="at \udfff")
    assert recorder.last.status == ("ERROR", "lone \ufffd surrogate")
    assert recorder.last.events[0][1]["exception.stacktrace"] == "at \ufffd"
