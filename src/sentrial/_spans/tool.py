"""A tool call: live, or told afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.trace import Link, SpanContext

from sentrial import _guard, semconv
from sentrial._payload import Payload, end_span
from sentrial._session import Session
from sentrial._spans import amounts, event, failure, tool_request
from sentrial._spans.live import LiveEvent, setter
from sentrial._spans.metadata import write_metadata
from sentrial._spans.name import read_id, read_name


class ToolCall(LiveEvent):
    """One run of a tool: made by ``session.tool(...)``, used as ``with`` or ``async with``.

    An exception that leaves the block marks the call as failed, and goes on.
    """

    __slots__ = ("_failure", "_payload", "_put_back")

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
        given: Mapping[str, Any] | None = None,
    ) -> None:
        """``given``: the arguments as the tool gets them, where ``tool_input`` does not say all of them."""
        super().__init__(session)
        self._failure: object = None
        self._put_back: Callable[[], None] | None = None
        self._payload = Payload(session.texts, session)
        try:
            found = self._find_request(name, read_id("call_id", call_id), tool_input if given is None else given)
            self._start(failure.masked(read_name("tool_name", name)), found, description, metadata, start_time)
            if tool_input is not None:
                self._payload.json_object(semconv.GEN_AI_TOOL_CALL_ARGUMENTS, tool_input, "input")
            if reasoning is not None:
                self._payload.text(semconv.SENTRIAL_REASONING, reasoning)
        except Exception as error:  # noqa: BLE001 - nothing of ours may keep the user from running the tool
            _guard.failed("starting a tool call", error)

    def _find_request(self, name: str, call_id: str | None, arguments: object) -> tuple[str | None, SpanContext | None]:
        """The model's name for this run, and the model call that asked for it, as far as they are known."""
        if call_id:
            found = tool_request.take_named(self._session, call_id)
            return call_id, found.context if found else None
        found = tool_request.take(self._session, name, arguments)
        if found is None:
            return None, None
        self._put_back = found.put_back
        return found.call_id, found.context

    def _start(
        self,
        name: str,
        found: tuple[str | None, SpanContext | None],
        description: object,
        metadata: object,
        start_time: int | None,
    ) -> None:
        call_id, requested_by = found
        attributes: dict[str, Any] = {
            semconv.GEN_AI_OPERATION_NAME: semconv.OPERATION_EXECUTE_TOOL,
            semconv.GEN_AI_TOOL_NAME: name,
            semconv.GEN_AI_TOOL_TYPE: semconv.TOOL_TYPE_FUNCTION,
        }
        if self._session.agent_name:
            attributes[semconv.GEN_AI_AGENT_NAME] = self._session.agent_name
        if failure.is_told(description):
            attributes[semconv.GEN_AI_TOOL_DESCRIPTION] = failure.masked(description)
        links = []
        if call_id:
            attributes[semconv.GEN_AI_TOOL_CALL_ID] = call_id
        if requested_by is not None:
            links.append(Link(requested_by, {semconv.SENTRIAL_LINK: semconv.LINK_REQUESTED_BY}))
        write_metadata(metadata, attributes)
        self.span = event.start_event(
            self._session,
            f"{semconv.OPERATION_EXECUTE_TOOL} {name}",
            semconv.EVENT_TOOL_CALL,
            attributes,
            links=links,
            start_time=start_time,
        )

    @setter("setting a tool's output")
    def set_output(self, output: object) -> None:
        """What the tool gave; a snapshot is taken now. The last one counts."""
        self._payload.json_object(semconv.GEN_AI_TOOL_CALL_RESULT, output, "result")

    @setter("setting a tool's cost")
    def set_cost(self, estimated_cost: float) -> None:
        """What the run cost, in dollars; it counts in the session's total."""
        attributes: dict[str, Any] = {}
        cost = amounts.read_cost(estimated_cost, attributes)
        if cost is not None:
            attributes[semconv.SENTRIAL_ESTIMATED_COST] = cost
            self._session.add_cost(cost)
        self.span.set_attributes(attributes)

    @setter("setting a tool's error")
    def set_error(self, error: object) -> None:
        """Mark the call as failed, though no exception leaves the block: words, ``{"message": ..., "type": ...}``,
        or the exception that was handled."""
        self._failure = error

    @_guard.guarded("ending a tool call", _guard.nothing)
    def end(self, error: BaseException | None = None, end_time: int | None = None) -> None:
        """End the call; a second time does nothing. ``end_time``: nanoseconds since the epoch."""
        if self._ended:
            return
        self._ended = True
        try:
            self._session.add(tool_calls=1)
            if error is not None:
                failure.write_left(self.span, error)
                if self._put_back is not None and failure.outcome_of_control_flow(error) == semconv.OUTCOME_PAUSED:
                    self._put_back()  # it begins anew when the person has answered
            elif self._failure is not None:
                failure.write_told(self.span, self._failure)
        finally:
            end_span(self.span, self._payload, end_time)
