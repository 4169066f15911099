"""Whose word is believed: a session's identity that comes in from strangers, and from those who are trusted and lie."""

from __future__ import annotations

import base64
import json
import logging
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus
from weakref import WeakValueDictionary

import pytest
from opentelemetry import baggage, trace

import sentrial
from receivers import SentrialStandIn
from running import arrived, is_current, session_of
from sentrial import SentrialClient, _registry
from sentrial.propagation import extract, inject

KEY, OTHER_KEY = "sentrial_test_key", "sentrial_other_key"

TRACE = "0af7651916cd43dd8448eb211c80319c"
SESSION = f"{TRACE}-b7ad6b7169203331"


@pytest.fixture(autouse=True)
def fresh_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process remembers whose the sessions are that it has seen; this one has seen none."""
    monkeypatch.setattr(_registry, "_ended", OrderedDict())
    monkeypatch.setattr(_registry, "_in_use", WeakValueDictionary())


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY, OTHER_KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def handle(**fields: Any) -> str:
    text = json.dumps({"id": SESSION, "agent": "a", **fields})
    return "sentrial1." + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def headers(entry: str, trace_id: str = TRACE) -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01", "baggage": f"sentrial.session={quote_plus(entry)}"}


def plain_span() -> None:
    trace.get_tracer("db").start_span("SELECT").end()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("entry", "user"), [(handle(user="ü\u200d"), "ü\u200d"), (handle(), None), (SESSION, None), (handle(user=7), None)]
)
def test_what_is_in_order_is_taken(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, entry: str, user: str | None
) -> None:
    with extract(headers(entry), trust=True) as received:
        assert received.session_id == SESSION
        plain_span()
    span = arrived(server)["SELECT"]
    assert (session_of(span), span["attributes"].get("user.id")) == (SESSION, user)
    assert (span["trace_id"], span["parent_span_id"]) == (TRACE, "00f067aa0ba902b7")
    assert said(caplog) == []


HOSTILE = {
    "no handle": "nonsense",
    "empty handle": "sentrial1.",
    "of another version": handle().replace("sentrial1", "sentrial2"),
    "no base64": "sentrial1.%%%",
    "no JSON": "sentrial1." + base64.urlsafe_b64encode(b"{").decode(),
    "deep JSON": "sentrial1." + base64.urlsafe_b64encode(b"[" * 2_000).decode(),
    "no object": "sentrial1." + base64.urlsafe_b64encode(b"[]").decode(),
    "no id": handle(id=None),
    "an id that is none": handle(id="x" * 49),
    "an id of zeros": handle(id="0" * 32 + "-" + "0" * 16),
    "an id with capitals": handle(id=SESSION.upper()),
    "an id with a line break": handle(id=SESSION + "\n"),
    "a long user": handle(user="x" * 1_001),
    "a long agent": handle(agent="x" * 1_001),
    "a long conversation": handle(conversation="x" * 1_001),
    "a line break": handle(user="u1\nsentrial: all is well"),
    "an escape sequence": handle(agent="\x1b[2J"),
    "a null": handle(conversation="c\x00"),
    "half of a character": handle(user="\ud800"),
    "of another trace": handle(id="1" * 32 + "-" + "1" * 16),
    "of another trace than it says": f"{handle()}.{'1' * 32}",
    "two traces": f"{handle()}.{TRACE}.{TRACE}",
    "a long entry": "sentrial1." + "A" * 4_040,
}


@pytest.mark.parametrize("entry", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_session_is_refused_with_one_log_line_and_the_trace_goes_on(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, entry: str
) -> None:
    for _ in range(3):
        with extract(headers(entry), trust=True) as received:
            assert not received.found
            assert is_current(None)
            assert dict(baggage.get_all()) == {}
            assert trace.get_current_span().get_span_context().trace_id == int(TRACE, 16)
            plain_span()
    (line,) = said(caplog)
    assert line.startswith("sentrial: a session that came in by baggage is refused: it")
    assert line.isprintable()
    assert len(line) < 500
    assert sentrial.flush(10)
    assert server.spans == []


@pytest.mark.parametrize(
    "header", ["sentrial.session", "sentrial.session=", "=,;", "sentrial.session=%00", "x" * 9_000, "\x00", "ü=ü"]
)
def test_a_hostile_header_is_refused(server: SentrialStandIn, header: str) -> None:
    with extract({**headers(""), "baggage": header}, trust=True) as received:
        assert not received.found
    with extract({"traceparent": header, "baggage": header}, trust=True) as received:
        assert not received.found


def test_many_different_lies_are_said_once_a_kind(server: SentrialStandIn, caplog: pytest.LogCaptureFixture) -> None:
    for n in range(100):
        assert not extract(headers(f"lie {n}"), trust=True).found
        assert not extract(headers(handle(user=f"\x00{n}")), trust=True).found
    assert len(said(caplog)) == 2


# --- sessions of others ----------------------------------------------------------------------------------------------


def test_a_session_that_this_process_has_open_is_itself_for_those_who_know_it(server: SentrialStandIn) -> None:
    sent: dict[str, str] = {}
    session = sentrial.begin("u1", "agent")
    inject(sent)
    sentrial.clear_session_context()
    with extract(sent, trust=True) as received:
        assert sentrial.get_current_interaction() is session
        received.track_tool_call("t", {}, {})
    session.finish()
    root = arrived(server)["invoke_agent agent"]["attributes"]
    assert root["sentrial.session.tool_calls"] == 1


@pytest.mark.parametrize("user", ["u2", "", "U1"])
def test_who_claims_another_users_session_as_theirs_is_refused(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture, user: str
) -> None:
    with sentrial.begin("u1", "agent") as session:
        pass
    forged = handle(id=session.session_id, user=user)
    with extract(headers(forged, session.session_id[:32]), trust=True) as received:
        assert not received.found
        plain_span()
    (line,) = said(caplog)
    assert "this process knows it as one of another user" in line
    assert set(arrived(server)) == {"invoke_agent agent"}


def test_a_session_of_another_account_is_refused(server: SentrialStandIn, caplog: pytest.LogCaptureFixture) -> None:
    other = SentrialClient(server.url, OTHER_KEY)
    with other.begin("u1", "agent") as session:
        sent: dict[str, str] = {}
        inject(sent)
        sentrial.clear_session_context()
        with extract(sent, trust=True) as received:
            assert not received.found
            plain_span()
    (line,) = said(caplog)
    assert "this process knows it as one of another account" in line
    assert set(arrived(server)) == {"invoke_agent agent"}
    assert session.session_id != received.session_id


def test_a_session_known_by_its_id_alone_learns_its_names_when_they_come_in(server: SentrialStandIn) -> None:
    with sentrial.attach(SESSION):
        pass
    with extract(headers(handle(user="u1", conversation="c1")), trust=True):
        plain_span()
    with extract(headers(SESSION), trust=True) as later:
        assert later.session_id == SESSION
    span = arrived(server)["SELECT"]
    assert (span["attributes"]["user.id"], span["attributes"]["session.id"]) == ("u1", "c1")


def test_without_a_key_sessions_are_taken_for_the_local_store(tmp_path: Any) -> None:
    sentrial.configure(store=str(tmp_path / "sessions.db"))
    with extract(headers(handle(user="u1")), trust=True) as received:
        received.track_tool_call("t", {}, {})
    assert sentrial.flush(10)
    assert sentrial.stats() == {"local store": {"stored": 1}}


def test_a_session_that_came_in_before_there_was_a_key_goes_to_the_account_once_there_is(
    server: SentrialStandIn, tmp_path: Any
) -> None:
    sentrial.configure(store=str(tmp_path / "sessions.db"), flush_interval=0.01)
    assert extract(headers(handle(user="u1")), trust=True).found
    sentrial.configure(api_key=KEY, api_url=server.url, flush_interval=0.01)
    with extract(headers(handle(user="u1")), trust=True):
        plain_span()
    assert session_of(arrived(server)["SELECT"]) == SESSION
