"""The tree of events, in cases that the golden outputs do not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixed_spans.rows import ERROR, SESSION, TOOL, root, row, session_id
from terminal import printed, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def test_a_running_session_is_shown_as_far_as_it_is_known(path: Path) -> None:
    write(path, [row(1, 2, TOOL, 1, 2, GEN_AI_TOOL_NAME="search", GEN_AI_TOOL_CALL_RESULT='{"result": "found it"}')])
    assert printed("sessions", "show", "last", "--store", path).splitlines() == [
        "○ running",
        "",
        f"  session    {session_id(1)}",
        "  started    2026-11-20 14:03:06 UTC    duration      1.00s",
        "  events     1 tool call",
        "",
        "     AT  EVENT" + " " * 62 + "TIME",
        "  0.00s  └─ ▸ tool search" + " " * 50 + "1.00s",
        "              output  found it",
    ]


def test_a_session_without_events_says_so(path: Path) -> None:
    write(path, [root(1)])
    assert printed("sessions", "show", "last", "--store", path).splitlines()[-2:] == ["", "  no events"]


def test_a_tree_of_any_depth_is_shown_and_its_texts_have_room(path: Path) -> None:
    chain = [row(1, 2 + depth, TOOL, depth, parent=1 + depth, SENTRIAL_REASONING="why " * 20) for depth in range(1_500)]
    write(path, [root(1), *chain])
    output = printed("sessions", "show", "last", "--store", path)
    assert output.count("▸ tool span") == 1_500


def test_the_end_that_another_process_told_is_the_sessions_own_and_no_agent(path: Path) -> None:
    end = row(
        1, 3, SESSION, 9, 9.5, name="session completed", SENTRIAL_SESSION_OUTCOME="completed", OUTPUT_VALUE="Paid."
    )
    write(path, [root(1, outcome="continued"), row(1, 2, TOOL, 1, 2, GEN_AI_TOOL_NAME="pay"), end])
    assert printed("sessions", "show", "last", "--store", path).splitlines()[-3:] == [
        "  1.00s  ├─ ▸ tool pay" + " " * 53 + "1.00s",
        "  9.00s  └─ ✓ end completed",
        "              output  Paid.",
    ]


def test_an_end_in_failure_says_so_once(path: Path) -> None:
    end = row(1, 2, SESSION, 9, name="session completed", status="ERROR", SENTRIAL_SESSION_OUTCOME="failed")
    write(path, [root(1, outcome="continued"), end])
    assert printed("sessions", "show", "last", "--store", path).splitlines()[-1] == "  9.00s  └─ ✗ end failed"


def test_an_error_is_a_moment_and_has_no_duration(path: Path) -> None:
    write(path, [root(1), row(1, 2, ERROR, 1, 1.5, status="ERROR", ERROR_TYPE="Timeout")])
    assert "  1.00s  └─ ✗ error Timeout" in printed("sessions", "show", "last", "--store", path).splitlines()


def test_state_and_metrics_of_a_session_stand_in_its_head(path: Path) -> None:
    write(path, [root(1, SENTRIAL_STATE='{"step": "refund", "tries": 2}')])
    assert "  state      step=refund  tries=2" in printed("sessions", "show", "last", "--store", path).splitlines()
