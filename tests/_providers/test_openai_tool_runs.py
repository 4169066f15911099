"""The tools that OpenAI's client runs by itself: what is known of a run when it begins, and of its end."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from sentrial._patch.spec import Role, ToolOutcome, ToolRun
from sentrial._providers.openai.tool_runs import TARGETS, read_tool, read_tool_result

CALL = SimpleNamespace(type="function_call", name="track", arguments='{"number": 7}', call_id="call_1")
CLICK = SimpleNamespace(type="click", x=1, keys=None)
COMPUTER_CALL = SimpleNamespace(type="computer_call", actions=[CLICK], action=None, call_id="call_2")
DEFINITION = {"name": "track", "description": "Where a parcel is."}


def track(arguments: dict[str, Any]) -> str:
    return f"{arguments} is in Lisbon"


def runner(**definition: Any) -> Any:
    return SimpleNamespace(_functions={"track": SimpleNamespace(tool={"name": "track", **definition}, execute=track)})


@pytest.mark.parametrize(
    ("method", "args", "run"),
    [
        (
            "_execute_function",
            (runner(description="Where a parcel is."), object(), CALL),
            ToolRun("track", {"number": 7}, "call_1", "Where a parcel is.", track),
        ),
        ("_execute_function", (runner(), object(), CALL), ToolRun("track", {"number": 7}, "call_1", None, track)),
        (
            "_dispatch",
            (SimpleNamespace(tools=[{"name": "other", "description": "x"}, DEFINITION]), CALL),
            ToolRun("track", {"number": 7}, "call_1", "Where a parcel is."),
        ),
        # What the toolset does not offer is refused by it, in words for the model.
        ("_dispatch", (SimpleNamespace(tools=[]), CALL), ToolRun("track", {"number": 7}, "call_1")),
        (
            "_dispatch",
            (object(), COMPUTER_CALL),
            ToolRun("computer", {"actions": [{"type": "click", "x": 1}]}, "call_2"),
        ),
    ],
)
def test_a_run_is_named_by_what_the_model_has_asked_for(method: str, args: Any, run: ToolRun) -> None:
    assert read_tool(method, args, {}) == run


def test_what_is_only_told_to_the_model_is_no_run() -> None:
    toolset = SimpleNamespace(tools=[DEFINITION])
    assert read_tool("_dispatch", (toolset, CALL), {"skip": True}) is None
    assert read_tool("_dispatch", (toolset, CALL), {"skip": False}) is not None


def test_every_target_runs_a_tool_in_turn_or_in_the_event_loop() -> None:
    assert {target.role for target in TARGETS} == {Role.TOOL}
    classes = {target.cls for target in TARGETS}
    assert classes == {f"{kind}{cls}" for kind in ("", "Async") for cls in classes if not cls.startswith("Async")}


def said(output: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": "call_1", "output": output}


def page(**told: Any) -> dict[str, Any]:
    return said([{"type": "input_text", "text": json.dumps(told)}])


def read(**told: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "content": json.dumps(told)}]


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (said("found"), ToolOutcome("found")),
        (said([{"type": "input_text", "text": "found"}]), ToolOutcome([{"type": "text", "content": "found"}])),
        ((page(ok=True, result="found"), True), ToolOutcome(read(ok=True, result="found"))),
        (
            (page(ok=False, error="no tab"), False),
            ToolOutcome(read(ok=False, error="no tab"), {"type": "tool_error", "message": "no tab"}),
        ),
        (
            (page(ok=False, result="blocked"), False),
            ToolOutcome(
                read(ok=False, result="blocked"),
                {"type": "tool_error", "message": '{"ok": false, "result": "blocked"}'},
            ),
        ),
    ],
)
def test_a_result_is_what_goes_back_to_the_model(result: Any, outcome: ToolOutcome) -> None:
    assert read_tool_result(result) == outcome
