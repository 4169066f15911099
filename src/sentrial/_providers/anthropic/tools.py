"""The tools that Anthropic's client runs by itself: in the loop of a tool runner, or for an agent of the platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sentrial._patch.spec import Role, Target, ToolOutcome, ToolRun
from sentrial._providers.anthropic.blocks import read_result
from sentrial._providers.values import fields_of, mapping, string

_RUNNER = "anthropic.lib.tools._beta_runner"
_SESSION_RUNNER = "anthropic.lib.tools._beta_session_runner"

# The conventions' word for a tool that tells of its own failure.
_TOOL_ERROR = "tool_error"

TARGETS = (
    *(
        Target(_RUNNER, cls, method, Role.TOOL)
        for cls in ("BaseSyncToolRunner", "BaseAsyncToolRunner")
        for method in ("_run_tool", "_run_toolset_member")
    ),
    Target(_SESSION_RUNNER, "SessionToolRunner", "_call_tool", Role.TOOL),
)


def read_tool(method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ToolRun | None:
    """The run: of ``_run_tool(tool, block)``, ``_run_toolset_member(block)`` or ``_call_tool(tool, event, input)``."""
    given = [*args[1:], *kwargs.values()]
    tool, asked = (None, given[0]) if method == "_run_toolset_member" else given[:2]
    fields = fields_of(asked)
    name = string(fields.get("name"))
    if name is None:
        return None
    return ToolRun(name, fields.get("input"), string(fields.get("id")), string(getattr(tool, "description", None)))


def read_tool_result(result: Any) -> ToolOutcome:
    """What goes back to the model: of a block, or of an event and what it was made of."""
    answer = mapping(result[0] if isinstance(result, tuple) else result)
    content = read_result(answer.get("content"))
    failed = answer.get("is_error") is True
    return ToolOutcome(content, {"type": _TOOL_ERROR, "message": content} if failed else None)
