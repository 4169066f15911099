"""The events of one session: those that start now and nest what happens inside, and those told when they are over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar

from opentelemetry.trace import Span

from sentrial import _guard
from sentrial._session import Session
from sentrial._spans import afterwards, failure
from sentrial._spans.decision import Decision
from sentrial._spans.error import record_error
from sentrial._spans.live import LiveEvent, blank
from sentrial._spans.llm_by_hand import LlmEvent
from sentrial._spans.tool import ToolCall
from sentrial._unknown_arguments import lenient

E = TypeVar("E", bound=LiveEvent)


class EventType(str, Enum):
    """What ``track_*`` says under ``eventType`` of the event that it wrote."""

    TOOL_CALL = "tool_call"
    LLM_DECISION = "llm_decision"
    LLM_CALL = "llm_call"
    ERROR = "error"


class OfSession:
    """What stands for a session wherever the session's id does."""

    _session: Session


class SessionEvents(OfSession):
    """Adds events to ``session``. ``loud``: bad input raises :class:`ValueError`, once what is good is recorded."""

    def __init__(self, session: Session, *, loud: bool = False) -> None:
        self._session = session
        self._loud = loud
        self._last_error: str | None = None

    @property
    def session_id(self) -> str:
        """The session's id: 32 hex digits of the trace, a dash, 16 of the root span."""
        return self._session.id

    # --- live events -------------------------------------------------------------------------------------------------

    @lenient()
    def tool(
        self,
        name: str,
        input: object = None,  # noqa: A002 - the name that begin() has for it
        *,
        reasoning: str | None = None,
        call_id: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> ToolCall:
        """A tool call that starts now: ``with session.tool("search", {"query": q}) as call: ... call.set_output(r)``.

        Args:
            name: the tool's name, low in cardinality.
            input: its arguments; anything that is no mapping is kept under ``input``.
            reasoning: why the agent calls it.
            call_id: the id that the model gave the call; it links the tool with the model call that asked for it.
            description: what the tool does.
            metadata: anything else.
        """
        return self._start(
            ToolCall,
            lambda: ToolCall(
                self._session,
                name,
                input,
                reasoning=reasoning,
                call_id=call_id,
                description=description,
                metadata=metadata,
            ),
        )

    @lenient()
    def llm(
        self,
        model: str,
        *,
        provider: str | None = None,
        input: object = None,  # noqa: A002 - the name that begin() has for it
        metadata: Mapping[str, Any] | None = None,
    ) -> LlmEvent:
        """A model call that starts now, where no patched client sees it.

        Args:
            model: the model's name.
            provider: who serves it, in the words of ``gen_ai.provider.name``: ``openai``, ``anthropic``, ...
            input: the prompt, or a list of ``{"role": ..., "content": ...}``.
            metadata: anything else.
        """
        return self._start(
            LlmEvent, lambda: LlmEvent(self._session, model, provider=provider, input=input, metadata=metadata)
        )

    @lenient()
    def decision(
        self,
        reasoning: str | None = None,
        alternatives: Iterable[str] | None = None,
        confidence: float | None = None,
        *,
        chosen: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Decision:
        """A decision that starts now: ``with session.decision(...) as d: ... d.choose("refund", confidence=0.9)``.

        Args:
            reasoning: why.
            alternatives: what else was possible.
            confidence: how sure the agent is, from 0 to 1.
            chosen: what it chose.
            metadata: anything else.
        """
        return self._start(
            Decision, lambda: Decision(self._session, reasoning, alternatives, confidence, chosen, metadata=metadata)
        )

    def _start(self, kind: type[E], make: Callable[[], E]) -> E:
        event: E | None = None
        try:
            with _guard.raising(self._loud):
                event = make()
        except _guard.RefusedError as error:
            if event is not None:
                event.end(error)
            raise
        except Exception as error:  # noqa: BLE001 - nothing of ours may keep the user's block from running
            _guard.failed("making an event", error)
            return blank(kind, self._session)
        return event

    # --- events told afterwards --------------------------------------------------------------------------------------

    @lenient()
    def track_tool_call(
        self,
        tool_name: str,
        tool_input: object,
        tool_output: object,
        reasoning: str | None = None,
        estimated_cost: float | None = None,
        tool_error: object = None,
        token_count: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        call_id: str | None = None,
        duration_ms: float | None = None,
        trace_id: str | None = None,
        span_id: str | None = None,
    ) -> dict[str, Any]:
        """A tool call that has run; the arguments are those of :meth:`SentrialClient.track_tool_call`."""
        return self._tell(
            EventType.TOOL_CALL,
            lambda: afterwards.tell_tool_call(
                self._session,
                tool_name,
                tool_input,
                tool_output,
                reasoning=reasoning,
                estimated_cost=estimated_cost,
                tool_error=tool_error,
                token_count=token_count,
                call_id=call_id,
                duration_ms=duration_ms,
                trace_id=trace_id,
                span_id=span_id,
                metadata=metadata,
            ),
        )

    @lenient()
    def track_decision(
        self,
        reasoning: str,
        alternatives: Iterable[str] | None = None,
        confidence: float | None = None,
        estimated_cost: float | None = None,
        token_count: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        chosen: str | None = None,
        trace_id: str | None = None,
        span_id: str | None = None,
    ) -> dict[str, Any]:
        """A decision that was taken; the arguments are those of :meth:`SentrialClient.track_decision`."""
        return self._tell(
            EventType.LLM_DECISION,
            lambda: afterwards.tell_decision(
                self._session,
                reasoning,
                alternatives,
                confidence,
                chosen=chosen,
                estimated_cost=estimated_cost,
                token_count=token_count,
                trace_id=trace_id,
                span_id=span_id,
                metadata=metadata,
            ),
        )

    @lenient()
    def track_llm_call(
        self,
        model: str,
        *,
        provider: str | None = None,
        input: object = None,  # noqa: A002 - the name that begin() has for it
        output: object = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        cached_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        estimated_cost: float | None = None,
        duration_ms: float | None = None,
        error: object = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A model call that no patched client saw; the arguments are those of :meth:`SentrialClient.track_llm_call`."""
        return self._tell(
            EventType.LLM_CALL,
            lambda: afterwards.tell_llm_call(
                self._session,
                model,
                provider=provider,
                input=input,
                output=output,
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                cached_tokens=cached_tokens,
                reasoning_tokens=reasoning_tokens,
                estimated_cost=estimated_cost,
                duration_ms=duration_ms,
                error=error,
                metadata=metadata,
            ),
        )

    @lenient()
    def track_error(
        self,
        error_message: str,
        error_type: str | None = None,
        tool_name: str | None = None,
        stack_trace: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        trace_id: str | None = None,
        span_id: str | None = None,
    ) -> dict[str, Any]:
        """An error that happened; unless :meth:`finish` says otherwise, the interaction has failed."""

        def write() -> Span:
            self._last_error = failure.read_words(error_message)
            return record_error(
                self._session,
                error_message,
                error_type,
                tool_name=tool_name,
                stack_trace=stack_trace,
                trace_id=trace_id,
                span_id=span_id,
                metadata=metadata,
            )

        return self._tell(EventType.ERROR, write)

    def _tell(self, event_type: EventType, write: Callable[[], Span]) -> dict[str, Any]:
        """Write one event; what comes back names it, ``{}`` where writing failed."""
        try:
            with _guard.raising(self._loud):
                span = write()
        except _guard.RefusedError:
            raise
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
            _guard.failed(f"writing a {event_type.value}", error)
            return {}
        return {
            "id": f"{span.get_span_context().span_id:016x}",
            "sessionId": self._session.id,
            "eventType": event_type.value,
        }
