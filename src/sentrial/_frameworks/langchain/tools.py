"""A tool's run: current while its body runs, and linked to the answer that asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sentrial import _guard
from sentrial._frameworks.langchain import kinds, untold
from sentrial._frameworks.langchain.recorder import Recorder
from sentrial._frameworks.langchain.runs import Run, Start, current
from sentrial._frameworks.langchain.stored import field
from sentrial._spans import event, joined, tool_body
from sentrial._spans.tool import ToolCall

_ERROR = "error"
_REQUEST = "\nAction:"
_PACKAGE = "langchain_core"
_METHODS = ("_run", "_arun")
"""What a tool that is a class of the program's does its work in."""


def started(
    recorder: Recorder,
    start: Start,
    serialized: Mapping[str, Any] | None,
    input_text: str,
    *,
    inputs: Mapping[str, Any] | None = None,
    call_id: str | None = None,
) -> None:
    """A tool is about to run."""
    told = serialized or {}
    tool_name = told.get("name") or "unknown"
    given = inputs if inputs is not None else input_text
    run = recorder.begin(kinds.TOOL, start._replace(run_id=untold.copy(start.run_id), name=tool_name), given)
    if run is None:
        return
    session = run.session
    if session is not None and run.told is None:
        action = _action(run, tool_name, given, input_text)
        with current(joined.hidden(run.context)):
            call = ToolCall(
                session,
                tool_name,
                given,
                reasoning=_reason(action),
                call_id=call_id or getattr(action, "tool_call_id", None),
                description=told.get("description"),
            )
            run.span = call
            context = event.context_of(call.span, session)
        run.contain(tool_body.around(context, call.span, frozenset((tool_name, *_METHODS)), _PACKAGE))
    run.enter()
    untold.watch(run, start.run_id)


def _action(run: Run, name: str, given: object, input_text: str) -> Any:
    """What an older agent said when it chose this run."""
    for action in run.parent.actions if run.parent is not None else ():
        if action.tool == name and (action.tool_input in (given, input_text) or str(action.tool_input) == input_text):
            run.parent.actions.remove(action)  # type: ignore[union-attr]  # its actions are what we look at
            return action
    return None


def _reason(action: Any) -> str | None:
    """What the model said before it asked for the tool: of an older agent's log not the request itself."""
    messages = getattr(action, "message_log", None)
    if messages is None:
        said = str(getattr(action, "log", "")).partition(_REQUEST)[0].strip().removeprefix("Thought:")
    else:
        content = getattr(messages[-1], "content", None) if messages else None
        said = content if isinstance(content, str) else ""
    return said.strip() or None


def ended(recorder: Recorder, run_id: UUID, output: object) -> None:
    """The tool has given ``output``."""
    run = recorder.runs.find(run_id)
    if run is not None and isinstance(run.span, ToolCall):
        content = read_output(output)
        if _is_message(output) and field(output, "status") == _ERROR:
            run.span.set_error(content)
        run.span.set_output(content)
    recorder.finish(run_id, given=output)


def read_output(output: object) -> object:
    """What a tool gave: of a message what it holds, and what it holds beside that is not for the model."""
    if _guard.is_a(output, list, tuple):
        return [read_output(item) for item in output]
    if not _is_message(output):
        return output
    content, artifact = field(output, "content"), field(output, "artifact")
    return content if artifact is None else {"result": content, "artifact": artifact}


def _is_message(output: object) -> bool:
    """Whether it is one of LangChain's to the model, and no object of the program's that is called alike."""
    return _guard.is_a(field(output, "tool_call_id"), str) and field(output, "content") is not None
