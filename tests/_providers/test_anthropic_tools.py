"""The tools that Anthropic's client runs by itself: what is known of a run when it begins, and of its end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from anthropic.types.beta import BetaToolUseBlock

from sentrial._patch.spec import Role, ToolOutcome, ToolRun
from sentrial._providers.anthropic.tools import TARGETS, read_tool, read_tool_result

BLOCK = BetaToolUseBlock(id="toolu_1", name="track", input={"number": 7}, type="tool_use")
TOOL = SimpleNamespace(name="track", description="Where a parcel is.")
RUNNER = object()


def track(number: int) -> str:
    return f"{number} is in Lisbon"


FUNCTION_TOOL = SimpleNamespace(name="track", description="Where it is.", func=track)


@pytest.mark.parametrize(
    ("method", "args", "run"),
    [
        ("_run_tool", (RUNNER, TOOL, BLOCK), ToolRun("track", {"number": 7}, "toolu_1", "Where a parcel is.")),
        ("_run_tool", (RUNNER, object(), BLOCK), ToolRun("track", {"number": 7}, "toolu_1")),
        ("_run_toolset_member", (RUNNER, BLOCK), ToolRun("track", {"number": 7}, "toolu_1")),
        ("_call_tool", (RUNNER, TOOL, BLOCK, {}), ToolRun("track", {"number": 7}, "toolu_1", "Where a parcel is.")),
        ("_run_tool", (RUNNER, TOOL, object()), None),
        ("call", (FUNCTION_TOOL, {"number": 7}), ToolRun("track", {"number": 7}, None, "Where it is.", track)),
    ],
)
def test_a_run_is_named_by_what_the_model_has_asked_for(method: str, args: Any, run: ToolRun | None) -> None:
    assert read_tool(method, args, {}) == run


def test_arguments_may_be_named() -> None:
    named = read_tool("_run_tool", (RUNNER,), {"tool": TOOL, "tool_use": BLOCK})
    assert named == ToolRun("track", {"number": 7}, "toolu_1", "Where a parcel is.")


def test_the_program_s_function_and_client_are_known_where_a_runner_has_them() -> None:
    client, scoped = object(), object()
    tool = SimpleNamespace(func=track)
    for runner, expected in ((SimpleNamespace(_client=client), client), (SimpleNamespace(_scoped=scoped), scoped)):
        run = read_tool("_run_tool", (runner, tool, BLOCK), {})
        assert run is not None
        assert (run.client, run.function) == (expected, track)


def test_every_target_runs_a_tool() -> None:
    assert {target.role for target in TARGETS} == {Role.TOOL}


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ({"content": "found", "tool_use_id": "toolu_1"}, ToolOutcome("found")),
        (({"content": [{"type": "text", "text": "found"}]}, "what it was made of"), ToolOutcome("found")),
        ({"content": "lost", "is_error": True}, ToolOutcome("lost", {"type": "tool_error", "message": "lost"})),
        ("found", ToolOutcome("found")),
        ([{"type": "text", "text": "found"}], ToolOutcome("found")),
    ],
)
def test_a_result_is_read_from_a_block_or_from_what_the_tool_itself_gave(result: Any, outcome: ToolOutcome) -> None:
    assert read_tool_result(result) == outcome
