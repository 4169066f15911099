"""A function as a tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentrial import _ambient
from sentrial._decorated.arguments import Arguments
from sentrial._decorated.event import AroundFunction
from sentrial._spans import tool_body
from sentrial._spans.tool import ToolCall


@dataclass(frozen=True)
class Tool:
    """What ``@tool`` knows of a function. ``function_name``: what it is called itself."""

    name: str
    function_name: str
    description: str | None
    arguments: Arguments

    def wanted(self) -> bool:
        """Only inside a session: else nothing is so much as looked at."""
        return _ambient.is_session_here()

    def open(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> AroundFunction | None:
        """The tool call, in the session that is current; ``None`` where a framework tells of it."""
        session = _ambient.session_for_event()
        if session is None or tool_body.join(self.name, self.function_name):
            return None
        recorded = self.arguments.recorded(args, kwargs)
        given = self.arguments.given(args, kwargs) if session.outermost.requests is not None else None
        call = ToolCall(session, self.name, recorded, description=self.description, given=given)
        return AroundFunction(session, call, call.set_output)
