"""A tool call: live, or told afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Link, set_span_in_context

from sentrial import _session, semconv
from sentrial._payload import Payload, end_span
from sentrial._session import Session
from sentrial._spans import amounts, event, failure
from sentrial._spans.live import LiveEvent
from sentrial._spans.metadata import write_metadata

TOOL_TYPE_FUNCTION = "function"


class ToolCall(LiveEvent):
    """One run of a tool: made by ``session.tool(...)``, used as ``with`` or ``async with``.

    An exception that leaves the block marks the call as failed, and goes on.
    """

    __slots__ = ("_ended", "_failure", "_payload", "_session", "span")

    def __init__(
        self,
        session: Session,
        name: str,
        tool_input: object = None,
        *,
        reasoning: str | None = None,
        call_id: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        start_time: int | None = None,
    ) -> None:
        super().__init__()
        attributes: dict[str, Any] = {
            semconv.GEN_AI_OPERATION_NAME: semconv.OPERATION_EXECUTE_TOOL,
            semconv.GEN_AI_TOOL_NAME: name,
            semconv.GEN_AI_TOOL_TYPE: TOOL_TYPE_FUNCTION,
        }
        if session.agent_name:
            attributes[semconv.GEN_AI_AGENT_NAME] = session.agent_name
        if description:
            attributes[semconv.GEN_AI_TOOL_DESCRIPTION] = description
        links = []
        if call_id:
            attributes[semconv.GEN_AI_TOOL_CALL_ID] = call_id
            requested_by = session.requested_by.get(call_id)
            if requested_by is not None:
                links.append(Link(requested_by, {semconv.SENTRIAL_LINK: semconv.LINK_REQUESTED_BY}))
        write_metadata(metadata, attributes)
        self._session = session
        self._ended = False
        self._failure: tuple[str, str | None] | None = None
        self._payload = Payload(session.texts)
        self.span = event.start_event(
            session,
            f"{semconv.OPERATION_EXECUTE_TOOL} {name}",
            semconv.EVENT_TOOL_CALL,
            attributes,
            links=links,
            start_time=start_time,
        )
        if tool_input is not None:
            self._payload.json(semconv.GEN_AI_TOOL_CALL_ARGUMENTS, _as_object(tool_input, "input"))
        if reasoning is not None:
            self._payload.text(semconv.SENTRIAL_REASONING, reasoning)

    def set_output(self, output: object) -> None:
        """What the tool gave; a snapshot is taken now. The last one counts."""
        self._payload.json(semconv.GEN_AI_TOOL_CALL_RESULT, _as_object(output, "result"))

    def set_cost(self, estimated_cost: float) -> None:
        """What the run cost, in dollars; it counts in the session's total."""
        attributes: dict[str, Any] = {}
        cost = amounts.read_cost(estimated_cost, attributes)
        if cost is not None:
            attributes[semconv.SENTRIAL_ESTIMATED_COST] = cost
            self._session.add_cost(cost)
        self.span.set_attributes(attributes)

    def set_error(self, error: object) -> None:
        """Mark the call as failed without an exception: words, or ``{"message": ..., "type": ...}``."""
        if isinstance(error, Mapping):
            words = error.get("message")
            kind = error.get("type")
            self._failure = (str(words if words is not None else dict(error)), str(kind) if kind else None)
        elif isinstance(error, BaseException):
            self._failure = (failure.describe(error), failure.type_name(error))
        else:
            self._failure = (str(error), None)

    def __enter__(self) -> ToolCall:
        self._enter()
        return self

    async def __aenter__(self) -> ToolCall:
        self._enter()
        return self

    @property
    def _context(self) -> Context:
        return set_span_in_context(self.span, _session.parent_in(self._session))

    def _end(self, error: BaseException | None) -> None:
        self.end(error)

    def end(self, error: BaseException | None = None, end_time: int | None = None) -> None:
        """End the call; a second time does nothing. ``end_time``: nanoseconds since the epoch."""
        if self._ended:
            return
        self._ended = True
        self._session.add(tool_calls=1)
        if error is not None and failure.is_control_flow(error) is None:
            failure.write_exception(self.span, error)
        elif self._failure is not None:
            failure.write_failure(self.span, *self._failure)
        end_span(self.span, self._payload, end_time)


def _as_object(value: object, name: str) -> object:
    """The conventions want objects: anything else is put under ``name``."""
    return value if isinstance(value, Mapping) else {name: value}
