"""A store of an older version becomes one of this version, in place: wholly or not at all."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from fixed_spans.rows import TOOL, root, row, session_id
from sentrial._store import migration
from sentrial._store.connection import open_for_reading, open_for_writing
from sentrial._store.failures import StoreUnusableError
from sentrial._store.read import list_sessions, read_session, read_spans
from sentrial._store.schema import VERSION
from sentrial._store.session_filter import SessionFilter
from sentrial._store.summary import SessionSummary
from sentrial._store.write import write_spans

TESTS = Path(__file__).parents[1]
V1 = Path(__file__).with_name("store_v1.sql")
SUPPORT = "f1016c0628e806d196aeba1e4194ac7c-daa66d2c7ddf743f"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A store that version 0.1 made: the support agent's session, one without its root, one span outside."""
    path = tmp_path / "sessions.db"
    connection = sqlite3.connect(path)
    connection.executescript(V1.read_text(encoding="utf-8"))
    connection.close()
    return path


def version_of(path: Path) -> int:
    connection = sqlite3.connect(path)
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    connection.close()
    return version


def columns_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master ORDER BY name")]
    columns = {name: connection.execute(f"PRAGMA table_xinfo({name})").fetchall() for name in names}
    connection.close()
    return columns


def test_an_old_store_has_all_that_it_had(old: Path) -> None:
    assert version_of(old) == 1
    open_for_writing(old, patience_s=5).close()
    assert version_of(old) == VERSION == 2
    connection = open_for_reading(old)
    support, running, long_ago = list_sessions(connection)
    assert (support.session_id, support.status, support.total_tokens, support.events) == (SUPPORT, "failed", 2_000, 9)
    assert (long_ago.session_id, long_ago.user, long_ago.cost) == (session_id(1), "someone", 1.5)
    assert (running.session_id, running.status, running.input_tokens) == (session_id(3), "running", 123_456)
    heard = dict(connection.execute("SELECT session_id, heard_ns FROM sessions"))
    assert heard == {SUPPORT: 0, session_id(1): 0, session_id(3): running.end_ns}
    session = read_session(connection, SUPPORT)
    assert session is not None
    assert [event.name for event in session.events][:2] == ["chat gpt-4o", "execute_tool lookup_order"]
    (call,) = read_spans(connection, session_id(3))
    history = str(call.attributes["gen_ai.input.messages"])
    assert history.startswith('[{"role":"user","parts":[{"type":"text","content":"what was said first ')
    assert len(history) > 600
    assert [span.resource for span in read_spans(connection, None)] == [{"service.name": "tests"}]
    connection.close()


def test_an_old_store_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    open_for_writing(old, patience_s=5).close()
    open_for_writing(tmp_path / "new.db", patience_s=5).close()
    assert columns_of(old) == columns_of(tmp_path / "new.db")


def test_an_old_store_is_written_on(old: Path) -> None:
    connection = open_for_writing(old, patience_s=5)
    write_spans(connection, [row(3, 5, TOOL, -15, -14), root(3, -21, -10, "completed"), root(7, 50)])
    assert [each.status for each in list_sessions(connection)] == ["completed", "failed", "completed", "completed"]
    (third,) = (each for each in list_sessions(connection) if each.session_id == session_id(3))
    assert (third.events, third.input_tokens, third.llm_calls, third.tool_calls) == (2, 123_456, 1, 1)
    connection.close()


def test_reading_an_old_store_brings_it_up_to_date_first(old: Path) -> None:
    connection = open_for_reading(old)
    assert len(list_sessions(connection, SessionFilter(status="failed"))) == 1
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        write_spans(connection, [root(8)])
    connection.close()
    assert version_of(old) == 2


def test_every_store_has_an_id_of_its_own(old: Path, tmp_path: Path) -> None:
    ids = set()
    for path in (old, tmp_path / "one.db", tmp_path / "two.db"):
        connection = open_for_writing(path, patience_s=5)
        ids.add(connection.execute("SELECT value FROM properties WHERE name = 'id'").fetchone()[0])
        connection.close()
    assert [len(each) for each in ids] == [32, 32, 32]


def test_what_fails_on_the_way_leaves_the_old_store_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = columns_of(old)
    monkeypatch.setitem(migration.STEPS, 1, (*migration.STEPS[1], "INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(StoreUnusableError, match="no such table: nowhere"):
        open_for_writing(old, patience_s=5)
    assert (version_of(old), columns_of(old)) == (1, before)
    with pytest.raises(StoreUnusableError, match="its format has version 1 and has to become version 2 first, which"):
        open_for_reading(old)
    monkeypatch.undo()
    open_for_writing(old, patience_s=5).close()
    assert version_of(old) == 2


OPEN = """
import sys
from pathlib import Path
from fixed_spans.rows import TOOL, row
from sentrial._store.connection import open_for_writing
from sentrial._store.write import write_spans

print("ready", flush=True)
sys.stdin.readline()
connection = open_for_writing(Path(sys.argv[1]), patience_s=30)
write_spans(connection, [row(50, 2 + int(sys.argv[2]), TOOL)])
connection.close()
"""


def test_processes_that_start_at_once_bring_it_up_to_date_once(old: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(old), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    assert [process.communicate("\n", timeout=60)[0] for process in processes] == [""] * 4
    assert [process.returncode for process in processes] == [0] * 4
    connection = open_for_reading(old)
    found = {each.session_id: each for each in list_sessions(connection)}
    assert (len(found), found[session_id(50)].events, found[SUPPORT].events) == (4, 4, 9)
    connection.close()


def test_a_process_of_the_old_version_goes_on_writing(old: Path) -> None:
    running = sqlite3.connect(old, isolation_level=None)
    assert running.execute("SELECT count(*) FROM sessions").fetchone() == (3,)
    open_for_writing(old, patience_s=5).close()
    # What version 0.1 did for a new session and for one that it knew.
    names = "session_id, trace_id, root_span_id, name, agent, user, conversation, status, start_ns, end_ns, llm_calls"
    running.execute(
        f"INSERT INTO sessions ({names}, tool_calls, decisions, errors, events, tally) VALUES"
        " ('a-b', 'a', NULL, NULL, 'old', NULL, NULL, 'running', 5, 6, 0, 0, 0, 0, 0, '{}')"
    )
    running.execute("UPDATE sessions SET status = 'completed', tally = '{}' WHERE session_id = 'a-b'")
    running.close()
    connection = open_for_reading(old)
    (found,) = list_sessions(connection, SessionFilter(agent="old"))
    assert found == SessionSummary(
        4, "a-b", "a", None, "old", None, None, "completed", 5, 6, None, None, None, None, 0, 0, 0, 0, 0, None, None
    )
    connection.close()
