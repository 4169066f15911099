"""A key that is missing, malformed or refused, an id that leads nowhere, and calls that come twice or too late.

Each may be repeated a thousand times, and is said once.
"""

from __future__ import annotations

import contextvars
import json
import logging
import math
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sentrial
from receivers import OtlpHttpReceiver, SentrialStandIn
from running import arrived, run_program
from sentrial import Interaction, SentrialClient, _guard

KEY = "sentrial_test_key"
FOREIGN = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"

PROGRAM = """
    import json, os, sentrial
    sentrial.configure(**json.loads(os.environ.get("ARGUMENTS", "{}")))
    for number in range(100):
        with sentrial.begin("u", "agent") as session:
            session.track_tool_call("t", {"n": number}, {})
    sentrial.shutdown()
    print(json.dumps(sentrial.stats()))
"""


def in_store(path: Path) -> int:
    """How many spans the store at ``path`` holds."""
    connection = sqlite3.connect(path)
    (count,) = connection.execute("SELECT count(*) FROM spans").fetchone()
    connection.close()
    return int(count)


# --- the key ---------------------------------------------------------------------------------------------------------


def test_without_a_key_all_is_stored_here_and_one_line_says_where(tmp_path: Path) -> None:
    ended = run_program(PROGRAM, {"HOME": str(tmp_path)})
    assert ended.printed == [{"local store": {"stored": 200}}]
    (line,) = ended.log
    assert line.startswith("sentrial: no Sentrial key and no collector is set, so sessions are kept in ")
    assert line.endswith("look at them with: sentrial sessions list")


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel_1", " ", "", 7, ["words"]])
def test_with_a_malformed_key_all_is_stored_here_and_the_key_is_named_but_not_shown(tmp_path: Path, key: Any) -> None:
    ended = run_program(PROGRAM, {"HOME": str(tmp_path), "ARGUMENTS": json.dumps({"api_key": key})})
    assert ended.printed == [{"local store": {"stored": 200}}]
    line, place = ended.log
    assert line.startswith("sentrial: api_key=(not shown) is not usable: it must be ")
    assert line.endswith(" It is ignored.")
    assert place.startswith("sentrial: no Sentrial key and no collector is set")
    assert not {"words", "schl", "line\\n"} & set(ended.err.split())


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel_1"])
def test_a_malformed_key_in_the_variable_is_named_by_the_variable(tmp_path: Path, key: str) -> None:
    ended = run_program(PROGRAM, {"HOME": str(tmp_path), "SENTRIAL_API_KEY": key})
    assert ended.printed == [{"local store": {"stored": 200}}]
    line, place = ended.log
    assert line == (
        "sentrial: SENTRIAL_API_KEY=(not shown) is not usable: it must be the key alone, without spaces and line "
        "breaks. It is ignored."
    )
    assert place.startswith("sentrial: no Sentrial key and no collector is set")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_said_once_with_the_remedy_and_other_destinations_get_all(tmp_path: Path, status: int) -> None:
    with SentrialStandIn([KEY]) as server, OtlpHttpReceiver() as collector:
        server.respond(status, {"Content-Type": "application/json"}, b'{"error": "no such key"}', times=1_000)
        ended = run_program(
            PROGRAM,
            {
                "SENTRIAL_API_KEY": "sentrial_wrong_key", "SENTRIAL_API_URL": server.url,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "SENTRIAL_STORE": str(tmp_path / "own.db"),
            },
        )  # fmt: skip
        assert ended.printed == [
            {f"Sentrial {server.url}": {"stored": 0, "refused": 200}, "collector": {"stored": 200},
             "local store": {"stored": 200}}
        ]  # fmt: skip
        assert len(collector.spans) == 200
    assert in_store(tmp_path / "own.db") == 200
    (line,) = ended.log
    assert f"spans for Sentrial {server.url} are lost: " in line
    assert str(status) in line
    assert "SENTRIAL_API_KEY" in line
    assert "sentrial_wrong_key" not in ended.err


# --- ids, and calls that come twice or too late -----------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown(60)


def words_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "sentrial" and record.levelno >= logging.WARNING
    ]


Bad = Callable[[SentrialClient, Interaction, int], object]

# What is done a thousand times; how many events arrive of it; what the one line says.
BAD: dict[str, tuple[Bad, int, str]] = {
    "unknown id": (
        lambda client, session, n: client.track_tool_call(f"session-{n}", "t", {}, {}), 0,
        "'session-0' is no session id: give what create_session() returned, or begin(...).session_id.",
    ),
    "confidence": (
        lambda client, session, n: session.track_decision("why", confidence=n + 7), 1_000,
        "confidence=7 is not usable: it must be a number from 0 to 1.",
    ),
    "cost": (
        lambda client, session, n: session.track_tool_call("t", {}, {}, estimated_cost=math.nan), 1_000,
        "estimated_cost=nan is not usable: it must be a number not below 0.",
    ),
    "name": (
        lambda client, session, n: session.track_tool_call([n], {}, {}), 1_000,  # type: ignore[arg-type]  # what is tried
        "tool_name=[0] is not usable: it must be a text. It is kept as its words; give the call a str.",
    ),
    "metadata": (
        lambda client, session, n: session.track_error("e", metadata=[n]), 1_000,  # type: ignore[arg-type]  # what is tried
        "metadata is a list, and has to be a mapping. It is kept as it is; give a dict.",
    ),
    "tokens": (
        lambda client, session, n: session.add_tokens("many"), 0,  # type: ignore[arg-type]  # what is tried
        "add_tokens(prompt_tokens='many') is not usable: it must be a number not below 0. It counts as nothing.",
    ),
    "no session for state": (
        lambda client, session, n: client.update_state("k", n), 0,
        "state is kept with the current session, and there is none",
    ),
    "handle": (
        lambda client, session, n: client.resume(f"handle {n}").finish(), 1_000,
        "'handle 0' is no handle: give what export() returned. A new session begins.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_thousand_bad_calls_of_one_kind_are_one_line(
    kind: str, server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    bad, events, words = BAD[kind]
    client = SentrialClient()
    session = client.begin("u", "agent")
    sentrial.clear_session_context()
    for number in range(1_000):
        contextvars.copy_context().run(bad, client, session, number)  # what it leaves behind is not the next test's
    session.finish()
    assert sentrial.flush(60)
    assert sentrial.stats()[f"Sentrial {server.url}"] == {"stored": events + 1}
    (said,) = words_of(caplog)
    assert words in said
    assert not _guard.failures


@pytest.mark.parametrize("kind", set(BAD) - {"handle"})
def test_a_loud_client_raises_each_time(kind: str, server: SentrialStandIn, caplog: pytest.LogCaptureFixture) -> None:
    bad, events, words = BAD[kind]
    client = SentrialClient(fail_silently=False)
    session = client.begin("u", "agent")
    sentrial.clear_session_context()
    for _ in range(3):
        with pytest.raises(ValueError) as raised:  # noqa: PT011 - its words are looked at
            contextvars.copy_context().run(bad, client, session, 0)
        assert words in str(raised.value)
    session.finish()
    assert sentrial.flush(60)
    assert len(server.spans) == (4 if events else 1)
    assert words_of(caplog) == []


def test_completing_and_finishing_again_is_said_once_and_changes_nothing(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    client = SentrialClient()
    session_id = client.create_session("n", "created", "u")
    session = client.begin("u", "begun")
    assert client.complete_session(session_id)["status"] == "completed"
    assert session.finish("the answer")["status"] == "completed"
    for number in range(1_000):
        assert client.complete_session(session_id, success=False, failure_reason=f"no {number}") == {}
        assert session.finish(f"answer {number}", success=False) == {}
        assert session.finish() == {}  # says nothing, and so loses nothing
    spans = arrived(server)
    assert set(spans) == {"invoke_agent created", "invoke_agent begun"}
    assert {span["attributes"]["sentrial.session.outcome"] for span in spans.values()} == {"completed"}
    assert spans["invoke_agent begun"]["attributes"]["output.value"] == "the answer"
    one, other = words_of(caplog)
    assert one.startswith(f"sentrial: session '{session_id}' is completed already; the second completion is not")
    assert other.startswith(f"sentrial: session {session.session_id} has ended already, as completed; what finish()")


def test_what_is_told_after_the_end_arrives_and_says_so(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    client = SentrialClient()
    session = client.begin("u", "agent")
    session.finish()
    for number in range(100):
        assert session.track_tool_call("t", {"n": number}, {})["sessionId"] == session.session_id
        assert client.track_error(session.session_id, "too late")["sessionId"] == session.session_id
        with session.tool("live") as call:
            call.set_output(number)
    assert sentrial.flush(20)
    late = [span["attributes"] for span in server.spans if span["parent_span_id"] is not None]
    assert len(late) == 300
    assert {attributes["sentrial.late"] for attributes in late} == {True}
    assert {(attributes["sentrial.session.id"], attributes["user.id"]) for attributes in late} == {
        (session.session_id, "u")
    }
    assert words_of(caplog) == []


def test_a_session_of_nobody_here_takes_all_events_and_one_completion(
    server: SentrialStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    client = SentrialClient()
    for _ in range(100):
        client.track_tool_call(FOREIGN, "t", {}, {})
    assert client.complete_session(FOREIGN) == {"id": FOREIGN, "status": "completed", "success": True}
    assert [client.complete_session(FOREIGN) for _ in range(100)] == [{}] * 100
    assert sentrial.flush(20)
    assert [span["name"] for span in server.spans] == ["execute_tool t"] * 100 + ["session completed"]
    assert {span["attributes"]["sentrial.session.id"] for span in server.spans} == {FOREIGN}
    (said,) = words_of(caplog)
    assert "is completed already" in said
