"""The tools that Anthropic's client runs by itself: what is known of a run when it begins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from anthropic.types.beta import BetaToolUseBlock

from sentrial._patch.spec import Role, ToolRun
from sentrial._providers.anthropic.tools import TARGETS, read_tool

BLOCK = BetaToolUseBlock(id="toolu_1", name="track", input={"number": 7}, type="tool_use")
TOOL = SimpleNamespace(name="track", description="Where a parcel is.")
RUNNER = object()


@pytest.mark.parametrize(
    ("method", "args", "run"),
    [
        ("_run_tool", (RUNNER, TOOL, BLOCK), ToolRun("track", {"number": 7}, "toolu_1", "Where a parcel is.")),
        ("_run_tool", (RUNNER, object(), BLOCK), ToolRun("track", {"number": 7}, "toolu_1")),
        ("_run_toolset_member", (RUNNER, BLOCK), ToolRun("track", {"number": 7}, "toolu_1")),
        ("_call_tool", (RUNNER, TOOL, BLOCK, {}), ToolRun("track", {"number": 7}, "toolu_1", "Where a parcel is.")),
        ("_run_tool", (RUNNER, TOOL, object()), None),
    ],
)
def test_a_run_is_named_by_what_the_model_has_asked_for(method: str, args: Any, run: ToolRun | None) -> None:
    assert read_tool(method, args, {}) == run


def test_arguments_may_be_named() -> None:
    named = read_tool("_run_tool", (RUNNER,), {"tool": TOOL, "tool_use": BLOCK})
    assert named == ToolRun("track", {"number": 7}, "toolu_1", "Where a parcel is.")


def test_every_target_runs_a_tool() -> None:
    assert {target.role for target in TARGETS} == {Role.TOOL}
