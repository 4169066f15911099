"""A decision: why the agent went one way and not another. The conventions have no such operation, nor keys for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sentrial import _config, _guard, semconv
from sentrial._payload import Payload, end_span
from sentrial._session import Session
from sentrial._spans import amounts, event, failure
from sentrial._spans.live import LiveEvent, setter
from sentrial._spans.metadata import write_metadata


class Decision(LiveEvent):
    """One decision: made by ``session.decision(...)``, used as ``with`` or ``async with``.

    What the agent does to decide (a model call, say) nests under it.
    """

    __slots__ = ("_payload",)

    def __init__(
        self,
        session: Session,
        reasoning: str | None = None,
        alternatives: Iterable[str] | None = None,
        confidence: float | None = None,
        chosen: str | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        start_time: int | None = None,
    ) -> None:
        super().__init__(session)
        self._payload = Payload(session.texts, session)
        try:
            self._start(metadata, start_time)
            if alternatives is not None:
                self._payload.texts(semconv.SENTRIAL_DECISION_ALTERNATIVES, alternatives)
        except Exception as error:  # noqa: BLE001 - nothing of ours may keep the user from deciding
            _guard.failed("starting a decision", error)
        if reasoning is not None:
            self.set_reasoning(reasoning)
        self.choose(chosen, confidence)

    def _start(self, metadata: object, start_time: int | None) -> None:
        attributes: dict[str, Any] = {}
        if _config.active.openinference:
            attributes[semconv.OPENINFERENCE_SPAN_KIND] = semconv.OPENINFERENCE_CHAIN
        write_metadata(metadata, attributes)
        agent = self._session.agent_name
        name = f"{semconv.SPAN_DECISION} {agent}" if agent else semconv.SPAN_DECISION
        self.span = event.start_event(self._session, name, semconv.EVENT_DECISION, attributes, start_time=start_time)

    @setter("setting a decision's reasoning")
    def set_reasoning(self, reasoning: str) -> None:
        """Why; the last word counts."""
        self._payload.text(semconv.SENTRIAL_DECISION_REASONING, reasoning)

    @setter("setting what was chosen")
    def choose(self, chosen: str | None, confidence: float | None = None) -> None:
        """What was chosen, and how sure the agent is of it, from 0 to 1."""
        if chosen is not None:
            self._payload.text(semconv.SENTRIAL_DECISION_CHOSEN, chosen)
        if confidence is not None:
            attributes: dict[str, Any] = {}
            number = amounts.read_number("confidence", confidence, attributes, low=0.0, high=1.0)
            if number is not None:
                attributes[semconv.SENTRIAL_DECISION_CONFIDENCE] = number
            self.span.set_attributes(attributes)

    @setter("setting a decision's usage")
    def set_usage(self, estimated_cost: float | None = None, token_count: int | None = None) -> None:
        """What deciding cost, in dollars and tokens, where no model call of its own says it."""
        attributes: dict[str, Any] = {}
        cost = amounts.read_cost(estimated_cost, attributes)
        if cost is not None:
            attributes[semconv.SENTRIAL_ESTIMATED_COST] = cost
            self._session.add_cost(cost)
        tokens = amounts.read_count("token_count", token_count, attributes)
        if tokens is not None:
            attributes[semconv.SENTRIAL_USAGE_TOTAL_TOKENS] = tokens
        self.span.set_attributes(attributes)

    @_guard.guarded("ending a decision", _guard.nothing)
    def end(self, error: BaseException | None = None, end_time: int | None = None) -> None:
        """End the decision; a second time does nothing. ``end_time``: nanoseconds since the epoch."""
        if self._ended:
            return
        self._ended = True
        try:
            self._session.add(decisions=1)
            if error is not None:
                failure.write_left(self.span, error)
        finally:
            end_span(self.span, self._payload, end_time)
