"""Several real processes at one file: nothing lost, nothing damaged."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from fixed_spans.rows import TOOL, root, row, session_id
from sentrial._store.bounds import Bounds
from sentrial._store.connection import open_for_reading, open_for_writing
from sentrial._store.read import list_sessions, read_spans
from sentrial._store.session_filter import SessionFilter
from sentrial._store.writer import StoreWriter

TESTS = Path(__file__).parents[1]

WRITE = """
import sys
from pathlib import Path
from fixed_spans.rows import TOOL, root, row
from sentrial._store.bounds import Bounds
from sentrial._store.failures import StoreBusyError
from sentrial._store.writer import StoreWriter

path, process, batches = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
writer = StoreWriter(path, bounds=Bounds(), patience_s=30)
print("ready", flush=True)
sys.stdin.readline()
for batch in range(batches):
    own = 100 + process
    texts = {"SENTRIAL_REASONING": "shared by all " * 50, "GEN_AI_TOOL_DESCRIPTION": f"{process} {batch} " * 100}
    span = 10 + process * 100_000 + batch
    writer.write([row(1, span, TOOL, batch, **texts), row(own, 2 + batch, TOOL, batch, **texts), row(9, 77, TOOL)])
    print(batch, flush=True)
writer.write([root(own)])
writer.close()
"""


def start(path: Path, process: int, batches: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITE, str(path), str(process), str(batches)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()


def is_sound(path: Path) -> bool:
    connection = sqlite3.connect(path)
    sound = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    return sound


def test_four_processes_write_at_once_into_a_new_file_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    processes = [start(path, number, 40) for number in range(4)]
    assert [said(each) for each in processes] == ["ready"] * 4
    for process in processes:
        go(process)
    for process in processes:
        assert [said(process) for _ in range(40)] == [str(batch) for batch in range(40)]
        assert process.wait(60) == 0
        end(process)
    connection = open_for_reading(path)
    found = {each.session_id: (each.status, each.events, each.tool_calls) for each in list_sessions(connection)}
    expected = {session_id(100 + number): ("completed", 40, 40) for number in range(4)}
    assert found == {**expected, session_id(1): ("running", 160, 160), session_id(9): ("running", 1, 1)}
    assert len(read_spans(connection, session_id(1))) == 160
    assert connection.execute("SELECT count(*) FROM texts").fetchone() == (161,)
    connection.close()
    assert is_sound(path)


def test_a_killed_writer_leaves_what_it_had_stored(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    process = start(path, 0, 100_000)
    assert said(process) == "ready"
    go(process)
    while said(process) != "20":
        pass
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    end(process)
    connection = open_for_reading(path)
    events = {each.session_id: each.events for each in list_sessions(connection)}
    connection.close()
    assert events[session_id(1)] >= 21
    assert events[session_id(1)] == events[session_id(100)], "a batch is there as a whole"
    assert is_sound(path)
    writer = StoreWriter(path, bounds=Bounds(), patience_s=5)
    writer.write([root(1)])
    writer.close()
    connection = open_for_reading(path)
    assert len(list_sessions(connection, SessionFilter(status="completed"))) == 1
    connection.close()


FORK = """
import os, sys
from pathlib import Path
from fixed_spans.rows import TOOL, root, row
from sentrial._store.bounds import Bounds
from sentrial._store.writer import StoreWriter

writer = StoreWriter(Path(sys.argv[1]), bounds=Bounds(), patience_s=30)
writer.write([row(1, 2, TOOL)])
children = []
for number in range(1, 4):
    child = os.fork()
    if child == 0:
        for place in range(20):
            writer.write([row(1, 100 * number + place, TOOL)])
        # One child ends like a worker, by os._exit; the others like a program, with all its clearing up.
        os._exit(0) if number == 1 else sys.exit(0)
    children.append(child)
for place in range(20):
    writer.write([row(1, 1000 + place, TOOL)])
print(*(os.waitpid(child, 0)[1] for child in children))
writer.write([root(1)])
writer.close()
"""


def test_a_forked_child_opens_the_file_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    ran = subprocess.run(
        [sys.executable, "-c", FORK, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("0 0 0\n", "", 0)
    connection = open_for_reading(path)
    (found,) = list_sessions(connection)
    connection.close()
    assert (found.status, found.events) == ("completed", 81)
    assert is_sound(path)


def test_a_removed_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    writer = StoreWriter(path, bounds=Bounds(), patience_s=5)
    writer.write([root(1)])
    for each in path.parent.glob("sessions.db*"):
        each.unlink()
    writer.write([root(2)])
    writer.close()
    connection = open_for_reading(path)
    assert [each.session_id for each in list_sessions(connection)] == [session_id(2)]
    connection.close()


def test_making_and_closing_a_writer_touches_no_file(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path / "folder" / "sessions.db", bounds=Bounds(), patience_s=5)
    writer.close()
    assert list(tmp_path.glob("folder*")) == []


def test_a_closed_writer_opens_the_file_again(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    writer = StoreWriter(path, bounds=Bounds(), patience_s=5)
    for number in (1, 2):
        writer.write([root(number)])
        writer.close()
        writer.close()
    connection = open_for_writing(path, patience_s=5)
    assert len(list_sessions(connection)) == 2
    connection.close()


@pytest.mark.parametrize("bound", [0, 2**30])
def test_pruning_tells_what_was_removed(tmp_path: Path, bound: int) -> None:
    writer = StoreWriter(tmp_path / "sessions.db", bounds=Bounds(max_bytes=bound), patience_s=5)
    writer.write([root(1), row(1, 2, TOOL)])
    removed = writer.prune()
    writer.close()
    assert (removed and (removed.sessions, removed.spans)) == ((1, 2) if bound == 0 else None)
