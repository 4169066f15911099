"""The tools that Anthropic's client runs by itself: in the loop of a tool runner, or for an agent of the platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sentrial._patch.spec import TOOL_ERROR, Role, Target, ToolOutcome, ToolRun
from sentrial._providers.anthropic.blocks import read_result
from sentrial._providers.values import fields_of, string

_RUNNER = "anthropic.lib.tools._beta_runner"
_SESSION_RUNNER = "anthropic.lib.tools._beta_session_runner"
_CALL = "call"

TARGETS = (
    *(
        Target(_RUNNER, cls, method, Role.TOOL)
        for cls in ("BaseSyncToolRunner", "BaseAsyncToolRunner")
        for method in ("_run_tool", "_run_toolset_member")
    ),
    # Before 1.9 a runner has no method for one run.
    *(
        Target(_RUNNER, cls, _CALL, Role.TOOL, unless=("BaseSyncToolRunner", "_run_tool"))
        for cls in ("BetaFunctionTool", "BetaAsyncFunctionTool")
    ),
    Target(_SESSION_RUNNER, "SessionToolRunner", "_call_tool", Role.TOOL),
)


def read_tool(method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ToolRun | None:
    """The run: of ``_run_tool(tool, block)``, ``_run_toolset_member(block)`` or ``_call_tool(tool, event, input)`` of a
    runner, or of ``call(input)`` of a tool."""
    runner, *given = *args, *kwargs.values()
    if method == _CALL:
        return ToolRun(runner.name, given[0], description=string(runner.description), function=runner.func)
    tool, asked = (None, given[0]) if method == "_run_toolset_member" else given[:2]
    fields = fields_of(asked)
    name = string(fields.get("name"))
    if name is None:
        return None
    return ToolRun(
        name,
        fields.get("input"),
        string(fields.get("id")),
        string(getattr(tool, "description", None)),
        function=getattr(tool, "func", None),
        client=getattr(runner, "_client", None) or getattr(runner, "_scoped", None),
    )


def read_tool_result(result: Any) -> ToolOutcome:
    """What goes back to the model: of a block, of an event and what it was made of, or what the tool itself gave."""
    answer = result[0] if isinstance(result, tuple) else result
    if not isinstance(answer, Mapping):
        return ToolOutcome(read_result(answer))
    content = read_result(answer.get("content"))
    failed = answer.get("is_error") is True
    return ToolOutcome(content, {"type": TOOL_ERROR, "message": content} if failed else None)
