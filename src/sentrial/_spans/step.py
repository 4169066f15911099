"""What a framework does between model calls and tool calls: the nodes of a graph, plans, workflows, retrievals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.trace import SpanKind

from sentrial import _config, _guard, semconv
from sentrial._payload import Payload, end_span
from sentrial._session import Session
from sentrial._spans import event, failure
from sentrial._spans.live import LiveEvent
from sentrial.types import Deferred, Message


class Step(LiveEvent):
    """One step of a session that is neither a model call nor a tool call; what happens inside nests under it."""

    __slots__ = ("_payload",)

    def __init__(
        self,
        session: Session,
        name: str,
        attributes: dict[str, Any],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        start_time: int | None = None,
    ) -> None:
        super().__init__(session)
        self._payload = Payload(session.texts, session)
        self.span = event.start_event(session, name, None, attributes, kind=kind, start_time=start_time)

    def set_input(self, messages: Deferred[Sequence[Message]]) -> None:
        """What a workflow was given; a snapshot is taken now."""
        self._payload.deferred(semconv.GEN_AI_INPUT_MESSAGES, messages)

    def set_output(self, messages: Deferred[Sequence[Message]]) -> None:
        """What a workflow gave; a snapshot is taken now. The last one counts."""
        self._payload.deferred(semconv.GEN_AI_OUTPUT_MESSAGES, messages)

    def set_query(self, query: str) -> None:
        """What a retrieval looked for."""
        self._payload.text(semconv.GEN_AI_RETRIEVAL_QUERY_TEXT, query)

    def set_documents(self, documents: Deferred[Sequence[Mapping[str, Any]]]) -> None:
        """What a retrieval found: for each its ``id`` and ``score``, and what else is known of it."""
        self._payload.deferred(semconv.GEN_AI_RETRIEVAL_DOCUMENTS, documents)

    @_guard.guarded("ending a step", _guard.nothing)
    def end(self, error: BaseException | None = None, end_time: int | None = None) -> None:
        """End it; a second time does nothing. ``end_time``: nanoseconds since the epoch."""
        if self._ended:
            return
        self._ended = True
        try:
            if error is not None:
                failure.write_left(self.span, error)
        finally:
            end_span(self.span, self._payload, end_time)


def begin_node(session: Session, name: str) -> Step:
    """One run of the node ``name`` of a graph. The conventions know no such thing, so it has none of their keys."""
    attributes: dict[str, Any] = {semconv.SENTRIAL_NODE: name}
    return Step(session, f"{semconv.SPAN_NODE} {name}", _as_chain(attributes))


def begin_plan(session: Session, name: str) -> Step:
    """One run of the node ``name``, which makes the plan of an agent."""
    attributes: dict[str, Any] = {semconv.GEN_AI_OPERATION_NAME: semconv.OPERATION_PLAN, semconv.SENTRIAL_NODE: name}
    if session.agent_name:
        attributes[semconv.GEN_AI_AGENT_NAME] = session.agent_name
    return Step(session, _named(semconv.OPERATION_PLAN, session.agent_name), _as_chain(attributes))


def begin_workflow(session: Session, name: str | None, *, start_time: int | None = None) -> Step:
    """One run of what coordinates several agents or model calls. ``name``: ``None`` where it has none of its own."""
    attributes: dict[str, Any] = {semconv.GEN_AI_OPERATION_NAME: semconv.OPERATION_INVOKE_WORKFLOW}
    if name:
        attributes[semconv.GEN_AI_WORKFLOW_NAME] = name
    return Step(session, _named(semconv.OPERATION_INVOKE_WORKFLOW, name), _as_chain(attributes), start_time=start_time)


def begin_retrieval(session: Session, source: str | None, provider: str | None, top_k: int | None) -> Step:
    """One search in the data source ``source``, which ``provider`` keeps; ``None`` for what nobody says."""
    attributes: dict[str, Any] = {semconv.GEN_AI_OPERATION_NAME: semconv.OPERATION_RETRIEVAL}
    for key, value in (
        (semconv.GEN_AI_DATA_SOURCE_ID, source),
        (semconv.GEN_AI_PROVIDER_NAME, provider),
        (semconv.GEN_AI_RETRIEVAL_TOP_K, top_k),
    ):
        if value is not None:
            attributes[key] = value
    return Step(session, _named(semconv.OPERATION_RETRIEVAL, source), attributes, kind=SpanKind.CLIENT)


def _named(operation: str, name: str | None) -> str:
    return f"{operation} {name}" if name else operation


def _as_chain(attributes: dict[str, Any]) -> dict[str, Any]:
    if _config.active.openinference:
        attributes[semconv.OPENINFERENCE_SPAN_KIND] = semconv.OPENINFERENCE_CHAIN
    return attributes
