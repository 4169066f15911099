"""The local store as a destination: what the queue hands it is in the file, or the verdict says why not."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, format_span_id, format_trace_id

from fixed_spans import Maker, at, support_agent
from sentrial import semconv as s
from sentrial._export.local import LocalDestination
from sentrial._export.verdict import Refused, RetryLater, Stored
from sentrial._store.bounds import Bounds
from sentrial._store.connection import open_for_reading
from sentrial._store.location import store_path
from sentrial._store.read import list_sessions, read_session, read_spans
from sentrial._store.span_row import SpanEvent, SpanLink, SpanRow

TESTS = Path(__file__).parents[1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def store(path: Path, spans: Sequence[ReadableSpan]) -> None:
    destination = LocalDestination(path)
    assert destination.send(destination.encode(spans)) == Stored()
    destination.close()


def stored(path: Path, session_id: str | None = None) -> list[SpanRow]:
    connection = open_for_reading(path)
    spans = read_spans(connection, session_id)
    connection.close()
    return spans


def session_of(spans: Sequence[ReadableSpan]) -> str:
    return str((spans[-1].attributes or {})[s.SENTRIAL_SESSION_ID])


def test_a_session_of_the_sdk_is_stored_as_a_tree_with_its_summary(path: Path) -> None:
    store(path, support_agent())
    connection = open_for_reading(path)
    (summary,) = list_sessions(connection)
    session = read_session(connection, summary.session_id)
    connection.close()
    assert (summary.agent, summary.user, summary.conversation) == ("support-agent", "user_123", "conv_456")
    assert (summary.name, summary.status) == ("Customer Support Request", "failed")
    assert (summary.start_ns, summary.end_ns) == (at(0), at(3.42))
    assert (summary.total_tokens, summary.cost, summary.events) == (2_000, 0.023, 9)
    assert (summary.llm_calls, summary.tool_calls, summary.decisions, summary.errors) == (2, 3, 1, 1)
    assert session is not None
    assert [event.name for event in session.events] == [
        "chat gpt-4o",
        "execute_tool lookup_order",
        "decision support-agent",
        "execute_tool issue_refund",
        "error",
        "chat gpt-4o",
    ]
    assert [event.name for event in session.events[2].children[0].children] == ["execute_tool search_policy"]


def test_every_part_of_a_span_is_kept(path: Path) -> None:
    maker = Maker()
    other = maker.start("other").get_span_context()
    parent = maker.start("parent")
    span = maker.start(
        "GET /",
        1,
        parent,
        {"text": "ü" * 1_000, "flag": True, "number": 7, "float": 1.0, "texts": ["a", "b"], "costs": [0.5, 2.0]},
        SpanKind.CLIENT,
        [Link(other, {"why": "caller"})],
    )
    span.add_event("exception", {"exception.type": "ValueError"}, at(2))
    span.set_status(Status(StatusCode.ERROR, "no answer"))
    span.end(at(3))
    store(path, maker.ended)
    context = span.get_span_context()
    assert stored(path) == [
        SpanRow(
            format_trace_id(context.trace_id),
            format_span_id(context.span_id),
            format_span_id(parent.get_span_context().span_id),
            "GET /",
            at(1),
            at(3),
            "CLIENT",
            "ERROR",
            "no answer",
            {"text": "ü" * 1_000, "flag": True, "number": 7, "float": 1.0, "texts": ("a", "b"), "costs": (0.5, 2.0)},
            (SpanEvent("exception", at(2), {"exception.type": "ValueError"}),),
            (SpanLink(format_trace_id(other.trace_id), format_span_id(other.span_id), {"why": "caller"}),),
            "sentrial",
            "0.1.0",
            {"service.name": "support", "telemetry.sdk.language": "python"},
        )
    ]


def test_values_that_json_has_not_become_strings(path: Path) -> None:
    maker = Maker()
    values = {"nan": float("nan"), "endless": [float("inf"), float("-inf")], "half": "a\ud83d"}
    maker.add("odd", 0, 1, attributes=values)
    maker.add("bytes", 2, 3, attributes={"data": b"\xff\x00"})
    store(path, maker.ended)
    odd, binary = stored(path)
    assert odd.attributes == {"nan": "NaN", "endless": ("Infinity", "-Infinity"), "half": "a?"}
    # The oldest SDK supported decodes what it can and drops the rest of what the newest one takes.
    assert binary.attributes in ({"data": b"\xff\x00"}, {})


def test_the_encoded_batch_is_plain_json_and_may_be_sent_later_by_another_destination(path: Path) -> None:
    body = LocalDestination(path).encode(support_agent())
    assert not path.exists()
    assert json.loads(body)["resources"] == [{"service.name": "support", "telemetry.sdk.language": "python"}]
    for later in (LocalDestination(path), LocalDestination(path)):
        assert later.send(body) == Stored()
        later.close()
    connection = open_for_reading(path)
    (summary,) = list_sessions(connection)
    connection.close()
    assert summary.events == 9


def test_a_batch_without_spans_is_stored(path: Path) -> None:
    store(path, [])
    assert stored(path) == []


def test_making_one_touches_no_file_and_loads_no_sqlite(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from sentrial._export.local import LocalDestination\n"
        f"LocalDestination(Path({str(path)!r})).close(); LocalDestination()\n"
        "print('sqlite3' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "False\n"
    assert list(path.parent.glob("sessions.db*")) == []


def test_the_usual_place_is_in_the_users_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    destination = LocalDestination()
    monkeypatch.setenv("HOME", str(tmp_path / "her"))
    assert destination.send(destination.encode(support_agent())) == Stored()
    destination.close()
    assert store_path().is_relative_to(tmp_path / "her")
    assert stored(store_path(), session_of(support_agent()))[0].name == "invoke_agent support-agent"


def test_a_store_held_by_another_process_is_tried_again(path: Path) -> None:
    store(path, [])
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    destination = LocalDestination(path, patience_s=0.01)
    body = destination.encode(support_agent())
    assert destination.send(body) == RetryLater(f"local store {path}: database is locked")
    holder.execute("ROLLBACK")
    holder.close()
    assert destination.send(body) == Stored()
    destination.close()


def test_a_newer_version_is_refused(path: Path) -> None:
    store(path, [])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    destination = LocalDestination(path)
    verdict = destination.send(destination.encode(support_agent()))
    assert isinstance(verdict, Refused)
    assert verdict.words.startswith(f"local store {path}: its format has version 7")
    assert "pip install --upgrade sentrial-otel" in verdict.words


def test_a_damaged_file_is_refused_until_somebody_moves_it_away(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)
    destination = LocalDestination(path)
    body = destination.encode(support_agent())
    assert destination.send(body) == Refused(
        f"local store {path}: it is damaged, or no SQLite file (file is not a database); "
        "move it away: a new store is then made in its place"
    )
    path.rename(path.with_suffix(".damaged"))
    assert destination.send(body) == Stored()
    destination.close()


def test_a_file_torn_while_it_is_open_is_refused(path: Path) -> None:
    destination = LocalDestination(path)
    assert destination.send(destination.encode(support_agent())) == Stored()
    destination.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    verdict = destination.send(destination.encode(support_agent()))
    assert isinstance(verdict, Refused)
    assert f"local store {path}: it is damaged" in verdict.words


@pytest.mark.parametrize("body", [b"not json", b'{"format":1}', b'{"format":1,"resources":[],"spans":[[1]]}', b"[]"])
def test_a_damaged_batch_is_refused(path: Path, body: bytes) -> None:
    destination = LocalDestination(path)
    verdict = destination.send(body)
    destination.close()
    assert isinstance(verdict, Refused)
    assert verdict.words.startswith("local store: the batch is damaged")


def test_the_size_bound_is_kept_and_said_in_one_line(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    destination = LocalDestination(path, bounds=Bounds(max_bytes=2**20))
    with caplog.at_level(logging.WARNING, "sentrial"):
        while not caplog.records:
            number = len(agents(path)) if path.exists() else 0
            assert number < 60
            assert destination.send(destination.encode(large_session(number))) == Stored()
    destination.close()
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith(f"sentrial: local store {path}: removed the oldest ")
    assert line.endswith(" UTC, to stay within 1 MB")
    assert "large 0" not in agents(path)
    assert path.stat().st_size <= 2**20 + 2**16


def agents(path: Path) -> list[str | None]:
    connection = open_for_reading(path)
    found = [each.agent for each in list_sessions(connection, limit=1_000)]
    connection.close()
    return found


def large_session(number: int) -> Sequence[ReadableSpan]:
    maker = Maker(number * 100)
    root = maker.start("invoke_agent", number)
    context = root.get_span_context()
    root.set_attributes(
        {
            s.SENTRIAL_SESSION_ID: f"{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}",
            s.SENTRIAL_EVENT_TYPE: s.EVENT_SESSION,
            s.GEN_AI_AGENT_NAME: f"large {number}",
            s.INPUT_VALUE: f"{number} " * 25_000,
        }
    )
    root.end(at(number + 1))
    return maker.ended


def test_a_disk_that_takes_no_more_is_refused_and_the_store_stays_readable(path: Path) -> None:
    store(path, support_agent())
    assert child("no_more_bytes", path) == [
        f"Refused(words='local store {path}: the disk reports an error (disk I/O error); check the disk or set "
        "SENTRIAL_STORE to a path on another one')",
    ]
    connection = open_for_reading(path)
    assert [each.agent for each in list_sessions(connection)] == ["support-agent"]
    connection.close()


def test_a_folder_that_may_not_be_written_is_refused_with_the_remedy(public_folder: Path) -> None:
    public_folder.chmod(0o555)
    path = public_folder / "sessions.db"
    assert child("send", path) == [
        f"Refused(words='local store {path}: Permission denied; make the file and its folder writable or set "
        "SENTRIAL_STORE to another path')"
    ]
    assert list(public_folder.iterdir()) == []


def test_a_store_that_may_only_be_read_is_refused_and_can_be_read(public_folder: Path) -> None:
    path = public_folder / "sessions.db"
    store(path, support_agent())
    path.chmod(0o444)
    public_folder.chmod(0o555)
    assert child("send", path) == [
        f"Refused(words='local store {path}: Permission denied; make the file and its folder writable or set "
        "SENTRIAL_STORE to another path')"
    ]
    assert child("read", path) == ["support-agent"]


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that another user can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def child(what: str, path: Path) -> list[str]:
    """What a process has to say that lacks the rights of the superuser, who may do everything."""
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, what, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    return ran.stdout.splitlines()


CHILD = """
import os, resource, signal, sys
from pathlib import Path

from fixed_spans import Maker, support_agent
from sentrial._export.local import LocalDestination
from sentrial._store import writer
from sentrial._store.bounds import Bounds
from sentrial._store.connection import open_for_reading
from sentrial._store.read import list_sessions

what, path = sys.argv[1], Path(sys.argv[2])
destination = LocalDestination(path)
body = destination.encode(support_agent())
if what == "no_more_bytes":
    maker = Maker(7)
    maker.add("large", 0, 1, attributes={"text": "x" * 1_000_000})
    body = destination.encode(maker.ended)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
elif os.geteuid() == 0:
    os.setuid(65_534)
if what == "read":
    connection = open_for_reading(path)
    print(*(each.agent for each in list_sessions(connection)))
    connection.close()
else:
    print(destination.send(body))
"""
