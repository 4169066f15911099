"""What sessions that begin by themselves keep in mind has bounds, and a forked child begins with nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

import sentrial
from by_themselves import CALL, KEY, WEB, call_model, configure, inside, names, own_provider, request, sessions
from receivers import SentrialStandIn
from sentrial import _ambient
from sentrial._export import auto_sessions, lingering, scope
from sentrial._export.auto_sessions import AutoSessions

ROOT = "invoke_agent shop"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown()


@pytest.fixture(autouse=True)
def set_up(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "AFTER_THREAD", 0.05)
    monkeypatch.setattr(lingering, "LOOKS_EVERY", 0.01)
    own_provider()
    configure(server, "request")


def finder() -> AutoSessions:
    found = _ambient.finder
    assert isinstance(found, AutoSessions)
    return found


def test_spans_are_kept_for_a_session_that_may_begin_up_to_a_bound(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto_sessions, "MAX_HELD", 3)
    for _ in range(2):
        with request():
            for number in range(5):
                with inside(f"SELECT {number}"):
                    pass
            call_model()
    # What is kept is free again once the session has begun.
    kept = sorted([CALL, ROOT, "SELECT 0", "SELECT 1", "SELECT 2"])
    assert [names(spans) for spans in sessions(server, 2)] == [kept, kept]


def test_what_a_request_without_a_model_kept_is_let_go_of_with_it(server: SentrialStandIn) -> None:
    for _ in range(3):
        with request("GET /health"), inside("SELECT 1"):
            pass
    with request():
        call_model()
    sessions(server, 1)
    until(lambda: not finder()._by_span)
    assert (finder()._held, finder()._by_session) == (0, {})


def until(condition: object) -> None:
    assert callable(condition)
    lingers = finder()._lingering
    with lingers._changed:
        assert lingers._changed.wait_for(lambda: condition(), 10)


def test_a_request_remembers_its_newest_spans(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "MAX_IDS", 3)
    with request():
        for _ in range(10):
            with inside("SELECT"):
                pass
        with inside("plan"):
            call_model()
        call_model()
    (spans,) = sessions(server, 1)
    assert names(spans) == sorted(["SELECT"] * 10 + ["plan", CALL, CALL, ROOT])


def test_requests_whose_spans_never_end_are_given_up(server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto_sessions, "MAX_KNOWN", 2)
    with trace.use_span(trace.get_tracer(WEB).start_span("GET /never", kind=SpanKind.SERVER)):
        call_model()
    for _ in range(3):
        trace.get_tracer(WEB).start_span("GET /never", kind=SpanKind.SERVER)
    (spans,) = sessions(server, 1)
    assert names(spans) == [CALL, ROOT]
    assert len(finder()._by_span) <= 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("calls_before", [0, 1])
def test_a_child_that_is_forked_in_a_request_adds_to_its_session_where_it_is_one_by_then(
    server: SentrialStandIn, calls_before: int
) -> None:
    with request(**{"user.id": "ann"}):
        for _ in range(calls_before):
            call_model()
        child = os.fork()
        if child == 0:
            try:
                call_model()
                sentrial.shutdown()
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        call_model()
    found = [names(spans) for spans in sessions(server, 2 - calls_before)]
    assert found == ([[CALL, CALL, CALL, ROOT]] if calls_before else [[CALL, ROOT]] * 2)
    assert {span["attributes"]["user.id"] for span in server.spans} == {"ann"}
    ends = [span["attributes"]["sentrial.session.outcome"] for span in server.spans if span["name"] == ROOT]
    assert set(ends) == {"completed"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_is_forked_before_has_requests_of_its_own(server: SentrialStandIn) -> None:
    child = os.fork()
    if child == 0:
        try:
            with request(**{"user.id": "child"}):
                call_model()
            sentrial.shutdown()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with request(**{"user.id": "parent"}):
        call_model()
    assert [span["attributes"]["user.id"] for spans in sessions(server, 2) for span in spans] == ["child"] * 2 + [
        "parent"
    ] * 2
