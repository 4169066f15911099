"""``sentrial sessions list``, ``show --json``, ``tail``, ``delete`` and ``prune``, run as people run them."""

from __future__ import annotations

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixed_spans import support_agent
from fixed_spans.rows import LLM, TOOL, root, row, session_id
from sentrial._store.connection import open_for_writing
from sentrial._store.write import write_spans
from terminal import failed, printed, run, store, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def several(path: Path) -> Path:
    """Sessions 1 to 6, an hour apart from 14:03:05 UTC on, of two agents and three users; the last one is running."""
    rows = []
    for number in range(1, 7):
        who = {"GEN_AI_AGENT_NAME": ["billing", "support"][number % 2], "USER_ID": f"user-{number % 3}"}
        begin = 3600.0 * (number - 1)
        rows.append(row(number, 2, TOOL, begin, begin + 1, SENTRIAL_REASONING=f"because of {number}", **who))
        if number < 6:
            rows.append(root(number, begin, begin + 2, "failed" if number == 4 else "completed", **who))
    return write(path, rows)


def listed(path: Path, *arguments: str) -> list[int]:
    document = json.loads(printed("sessions", "list", "--json", "--store", path, *arguments))
    return [int(session["id"][:8], 16) for session in document["sessions"]]


# --- list -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ([], [6, 5, 4, 3, 2, 1]),
        (["--limit", "2"], [6, 5]),
        (["--agent", "support"], [5, 3, 1]),
        (["--user", "user-0", "--agent", "support"], [3]),
        (["--status", "failed"], [4]),
        (["--status", "running"], [6]),
        (["--since", "2026-11-20 16:00", "--until", "2026-11-20T18:03:05Z"], [5, 4, 3]),
        (["--until", "2026-11-20 15:00"], [1]),
        (["--until", "2026-11-20"], [6, 5, 4, 3, 2, 1]),
        (["--until", "2026-11-19"], []),
        (["--search", "BECAUSE of 4"], [4]),
        (["--search", "because", "--agent", "support", "--limit", "2"], [5, 3]),
        (["--search", "nobody said this"], []),
    ],
)
def test_sessions_are_listed_by_every_filter(several: Path, arguments: list[str], numbers: list[int]) -> None:
    assert listed(several, *arguments) == numbers


def test_the_last_days_are_counted_from_now(path: Path) -> None:
    connection = open_for_writing(path, patience_s=5)
    write_spans(connection, [root(1), root(2)])
    connection.execute("UPDATE sessions SET start_ns = unixepoch('now', '-3 hours') * 1000000000 WHERE row_id = 2")
    connection.execute("UPDATE sessions SET start_ns = unixepoch('now', '-3 days') * 1000000000 WHERE row_id = 1")
    connection.close()
    assert [listed(path, "--last", last) for last in ("1h", "4h", "2d", "1w")] == [[], [2], [2], [2, 1]]
    assert listed(path, "--since", "1w", "--until", "1d") == [1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "soon"], "'soon' is no time"),
        (["--last", "long"], "'long' is no length of time"),
        (["--last", "1d", "--since", "2h"], "give --since or --last, not both"),
        (["--status", "done"], "'done'"),
        (["--search", " "], "--search needs a text"),
    ],
)
def test_what_is_asked_wrongly_is_refused_with_exit_code_2(several: Path, arguments: list[str], words: str) -> None:
    ran = run("sessions", "list", "--store", several, *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert words in ran.stderr


def test_a_list_without_a_match_says_so(several: Path) -> None:
    said = printed("sessions", "list", "--agent", "nobody", "--store", several, columns=300)
    assert said == f"no session matches in {several}\n"


def test_the_list_as_json_has_every_field(path: Path) -> None:
    usage = {"GEN_AI_USAGE_INPUT_TOKENS": 10, "GEN_AI_USAGE_OUTPUT_TOKENS": 5, "SENTRIAL_ESTIMATED_COST": 0.25}
    who = {"USER_ID": "ann\x1b[2J", "GEN_AI_CONVERSATION_ID": "c", "SENTRIAL_SESSION_NAME": "refund é"}
    reason = {"SENTRIAL_SESSION_FAILURE_REASON": "no"}
    write(path, [root(1, 0, 1.5, "failed", **usage, **who, **reason), row(1, 2, LLM), row(2, 2, TOOL, 5)])
    text = printed("sessions", "list", "--json", "--store", path)
    assert text.isascii()
    assert "\x1b" not in text
    running, ended = json.loads(text)["sessions"]
    assert ended == {
        "id": session_id(1),
        "trace_id": session_id(1)[:32],
        "name": "refund é",
        "agent": "helper",
        "user": "ann\x1b[2J",
        "conversation": "c",
        "status": "failed",
        "started": "2026-11-20T14:03:05.000000Z",
        "ended": "2026-11-20T14:03:06.500000Z",
        "duration_ms": 1500.0,
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 15,
        "cost_usd": 0.25,
        "llm_calls": 1,
        "tool_calls": 0,
        "decisions": 0,
        "errors": 0,
        "events": 1,
        "failure_reason": "no",
    }
    assert (running["status"], running["ended"], running["duration_ms"], running["agent"]) == (
        "running",
        None,
        None,
        None,
    )
    assert list(running) == list(ended)


# --- show -------------------------------------------------------------------------------------------------------------


def test_a_session_as_json_has_all_that_was_recorded(path: Path) -> None:
    store(path, support_agent())
    document = json.loads(printed("sessions", "show", "last", "--json", "--store", path))
    assert document["session"] == json.loads(printed("sessions", "list", "--json", "--store", path))["sessions"][0]
    assert (document["root"]["type"], document["root"]["parent_id"]) == ("session", None)
    assert [event["name"] for event in document["events"]][:3] == [
        "chat gpt-4o",
        "execute_tool lookup_order",
        "decision support-agent",
    ]
    assert len(document["events"]) == 9
    call, tool = document["events"][:2]
    assert (call["type"], call["parent_id"], call["duration_ms"]) == ("llm_call", document["root"]["id"], 850.0)
    assert call["attributes"]["gen_ai.usage.input_tokens"] == 412
    assert json.loads(tool["attributes"]["gen_ai.tool.call.result"])["carrier"] == "Rødkær Cargo"
    (failure,) = (event for event in document["events"] if event["type"] == "error")
    assert failure["status"] == "ERROR"
    assert [said["name"] for said in failure["events"]] == ["exception"]


# --- tail -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)


def test_tail_shows_what_happens_in_a_line_each_and_ends_with_ctrl_c(path: Path, terminal: tuple[int, int]) -> None:
    evil = {"GEN_AI_AGENT_NAME": "agent\x1b[2J", "USER_ID": "ann"}
    opened = replace(root(1, 0, **evil), is_open=True)
    write(path, [opened])
    ours, theirs = terminal
    environ = {**os.environ, "TZ": "UTC", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}
    tail = subprocess.Popen(
        [sys.executable, "-m", "sentrial.cli", "sessions", "tail", "--store", str(path)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environ,
    )
    os.close(theirs)
    shown = os.read(ours, 4096)
    events = [
        row(1, 2, LLM, 1, 2.5, name="chat gpt-4o", GEN_AI_USAGE_INPUT_TOKENS=1_088, SENTRIAL_ESTIMATED_COST=0.0215),
        row(1, 3, TOOL, 3, 3.25, status="ERROR", GEN_AI_TOOL_NAME="refund\x07"),
    ]
    reason = {"SENTRIAL_SESSION_FAILURE_REASON": "too \x1b[31mmuch", "SENTRIAL_USAGE_TOTAL_TOKENS": 2_000}
    write(path, [*events, root(1, 0, 4, "failed", **evil, **reason), root(2, 10, 11)])
    while shown.count(b"\n") < 6:
        shown += os.read(ours, 4096)
    tail.send_signal(signal.SIGINT)
    _, said = tail.communicate(timeout=30)
    assert (tail.returncode, said) == (130, b"")
    lines = [line.rstrip() for line in shown.decode().replace("\r\n", "\n").splitlines()]
    assert lines == [
        "14:03:05  00000001  ○ running    agent\\x1b[2J  ann",
        "14:03:15  00000002  ○ started    helper",
        "14:03:07  00000001    ◆ llm chat gpt-4o           1.50s      1,088/-   $0.0215",
        "14:03:08  00000001    ▸ tool refund\\x07 ✗ failed    250ms",
        "14:03:09  00000001  ✗ failed     agent\\x1b[2J  4.00s  2,000 tokens  $0.0215  2…",
        "14:03:16  00000002  ✓ completed  helper  1.00s  0 events",
    ]


def test_tail_tells_of_the_agent_and_user_asked_for_only(path: Path) -> None:
    for number, agent, user in ((1, "a", "x"), (2, "a", "y"), (3, "b", "x")):
        write(path, [replace(root(number, GEN_AI_AGENT_NAME=agent, USER_ID=user), is_open=True)])
    command = [sys.executable, "-m", "sentrial.cli", "sessions", "tail", "--json", "--agent", "a", "--user", "y"]
    tail = subprocess.Popen([*command, "--store", str(path)], stdout=subprocess.PIPE, text=True)
    assert tail.stdout is not None
    first = json.loads(tail.stdout.readline())
    write(path, [row(1, 2, TOOL), row(2, 2, TOOL), row(3, 2, TOOL)])
    second = json.loads(tail.stdout.readline())
    tail.kill()
    tail.communicate(timeout=30)
    assert [each["change"] for each in (first, second)] == ["open", "event"]
    assert [each["session"]["id"] for each in (first, second)] == [session_id(2)] * 2


def test_tail_goes_on_with_a_store_that_takes_the_place_of_another(path: Path) -> None:
    write(path, [replace(root(1), is_open=True)])
    command = [sys.executable, "-m", "sentrial.cli", "sessions", "tail", "--json", "--store", str(path)]
    tail = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert tail.stdout is not None
    first = json.loads(tail.stdout.readline())
    other = write(path.with_name("other.db"), [root(2)])
    for each in path.parent.glob("sessions.db*"):
        each.unlink()
    other.rename(path)
    changes = [json.loads(tail.stdout.readline()) for _ in range(2)]
    tail.kill()
    tail.communicate(timeout=30)
    assert (first["change"], first["session"]["id"]) == ("open", session_id(1))
    assert [(each["change"], each["session"]["id"]) for each in changes] == [
        ("started", session_id(2)),
        ("ended", session_id(2)),
    ]


def test_tail_of_what_is_no_store_is_refused(path: Path) -> None:
    path.write_bytes(b"something else" * 500)
    assert "it is damaged, or no SQLite file" in failed("sessions", "tail", "--store", path)


# --- delete, prune, index ---------------------------------------------------------------------------------------------


def test_sessions_are_deleted_by_id_or_by_filter(several: Path) -> None:
    assert printed("sessions", "delete", session_id(2), "--yes", "--store", several) == "deleted 1 session\n"
    assert printed("sessions", "delete", "--search", "because of 3", "-y", "--store", several) == "deleted 1 session\n"
    assert listed(several) == [6, 5, 4, 1]
    assert printed("sessions", "delete", "--agent", "billing", "--yes", "--store", several) == (
        "deleted 1 session; 1 session that run stay\n"
    )
    assert listed(several) == [6, 5, 1]
    assert printed("sessions", "delete", "--agent", "nobody", "--yes", "--store", several) == "nothing to delete\n"


def test_a_running_session_is_not_deleted(several: Path) -> None:
    said = failed("sessions", "delete", session_id(6), "--yes", "--store", several)
    assert said.startswith(f"Error: {session_id(6)}  2026-11-20 19:03:05  billing  running is running; it can be")
    assert len(listed(several)) == 6


def test_without_a_terminal_nothing_is_deleted_unasked(several: Path) -> None:
    ran = run("sessions", "delete", "--all", "--store", several)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Delete 5 sessions from " in ran.stderr
    assert "Say --yes, since nobody can be asked here" in ran.stderr
    assert len(listed(several)) == 6


@pytest.mark.parametrize(("answer", "left"), [("y", 5), ("n", 6)])
def test_on_a_terminal_it_asks(several: Path, terminal: tuple[int, int], answer: str, left: int) -> None:
    ours, theirs = terminal
    command = [sys.executable, "-m", "sentrial.cli", "sessions", "delete", session_id(4), "--store", str(several)]
    asked = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(ours, 4096)
    assert b"Delete " + session_id(4).encode() in shown
    os.write(ours, f"{answer}\n".encode())
    assert asked.wait(60) == (0 if answer == "y" else 1)
    assert len(listed(several)) == left


def test_deleting_takes_the_index_of_searches_away_too(several: Path) -> None:
    assert listed(several, "--search", "because of 5") == [5]
    index = several.with_name("sessions.db.search")
    assert index.exists()
    printed("sessions", "delete", session_id(5), "--yes", "--store", several)
    assert not index.exists()
    assert listed(several, "--search", "because of 5") == []


def test_the_store_is_pruned_to_a_size_or_an_age(several: Path) -> None:
    assert printed("sessions", "prune", "--store", several) == "nothing to remove\n"
    assert printed("sessions", "prune", "--max-age", "100w", "--store", several) == "nothing to remove\n"
    said = printed("sessions", "prune", "--max-size", "0", "--store", several)
    assert said == "removed the oldest 5 session(s), 10 span(s), started until 2026-11-20 18:03:05 UTC\n"
    assert listed(several) == [6]


def test_the_settings_are_the_bounds_where_none_is_given(path: Path) -> None:
    connection = open_for_writing(path, patience_s=5)
    write_spans(connection, [root(1), root(2, 1)])
    connection.execute("UPDATE sessions SET start_ns = start_ns - 1000000000000000000, end_ns = 5 WHERE row_id = 1")
    connection.close()
    said = printed("sessions", "prune", "--store", path, SENTRIAL_STORE_MAX_AGE="5000d")
    assert said.startswith("removed the oldest 1 session(s), 1 span(s), started until ")
    assert listed(path) == [2]
    assert printed("sessions", "prune", "--store", path, SENTRIAL_STORE_MAX_SIZE="1GB") == "nothing to remove\n"
    assert printed("sessions", "prune", "--store", path, SENTRIAL_STORE_MAX_SIZE="1").startswith("removed the oldest 1")


def test_the_index_is_brought_up_to_date(several: Path) -> None:
    assert printed("sessions", "index", "--store", several) == "the index is up to date\n"
    assert listed(several, "--search", "because of 1") == [1]
    several.with_name("sessions.db.search").unlink()
    several.with_name("sessions.db.search").mkdir()
    assert "there can be no index beside" in failed("sessions", "index", "--store", several)
    assert listed(several, "--search", "because of 1") == [1]


# --- an older store ---------------------------------------------------------------------------------------------------


def test_a_store_of_an_older_version_is_listed(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript((Path(__file__).parent / "_store" / "store_v1.sql").read_text(encoding="utf-8"))
    connection.execute("UPDATE sessions SET end_ns = 5 WHERE status = 'running'")
    connection.commit()
    connection.close()
    # Nobody knows its process, and nobody has heard of it since: the one that never ended is left behind.
    document = json.loads(printed("sessions", "list", "--json", "--store", path))
    assert [each["status"] for each in document["sessions"]] == ["failed", "abandoned", "completed"]
