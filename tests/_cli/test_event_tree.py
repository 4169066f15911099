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


def test_steps_of_a_framework_are_named_by_what_they_are(path: Path) -> None:
    steps = [
        row(1, 2, None, 1, 6, name="invoke_workflow refund", GEN_AI_OPERATION_NAME="invoke_workflow"),
        row(1, 3, None, 1, 2, parent=2, name="plan agent", GEN_AI_OPERATION_NAME="plan", SENTRIAL_NODE="planner"),
        row(1, 4, None, 2, 3, parent=2, name="node approval", SENTRIAL_NODE="approval", SENTRIAL_OUTCOME="paused"),
        row(1, 5, None, 3, 4, parent=2, name="node pay", SENTRIAL_NODE="pay", status="ERROR"),
    ]
    write(path, [root(1), *steps])
    assert printed("sessions", "show", "last", "--store", path).splitlines()[-4:] == [
        "  1.00s  └─ · workflow refund" + " " * 46 + "5.00s",
        "  1.00s     ├─ · plan planner" + " " * 46 + "1.00s",
        "  2.00s     ├─ · node approval ○ paused" + " " * 36 + "1.00s",
        "  3.00s     └─ · node pay ✗ failed" + " " * 41 + "1.00s",
    ]


def test_a_search_shows_what_it_looked_for_and_what_it_found(path: Path) -> None:
    documents = '[{"id": "terms-3", "score": null, "content": "Two years."}, {"id": "terms-4", "score": 0.5}]'
    found: dict[str, str] = {"GEN_AI_RETRIEVAL_QUERY_TEXT": "How long?", "GEN_AI_RETRIEVAL_DOCUMENTS": documents}
    searches = [
        row(1, 2, None, 1, 2, name="retrieval terms", GEN_AI_OPERATION_NAME="retrieval", **found),
        row(
            1,
            3,
            None,
            2,
            3,
            name="retrieval",
            GEN_AI_OPERATION_NAME="retrieval",
            GEN_AI_PROVIDER_NAME="chroma",
            GEN_AI_RETRIEVAL_DOCUMENTS="[]",
        ),
    ]
    write(path, [root(1), *searches])
    assert printed("sessions", "show", "last", "--store", path).splitlines()[-6:] == [
        "  1.00s  ├─ · search terms" + " " * 49 + "1.00s",
        "         │    query  How long?",
        "         │    found  terms-3: Two years.",
        "         │           terms-4",
        "  2.00s  └─ · search chroma" + " " * 48 + "1.00s",
        "              found  nothing",
    ]
