"""An interaction: one session as an object, from ``begin()`` to ``finish()``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from opentelemetry.trace import Span

from sentrial import _guard, _session, semconv
from sentrial._session import Activation, Session
from sentrial._spans import afterwards, failure, root
from sentrial._spans.decision import Decision
from sentrial._spans.llm_by_hand import LlmEvent
from sentrial._spans.root import Ending, Opening
from sentrial._spans.tool import ToolCall


class Interaction:
    """One agent interaction, made by :func:`sentrial.begin`.

    It is current until :meth:`finish`: calls of patched clients, tools and other instrumentations' spans inside land
    in it. Used as ``with`` or ``async with`` it finishes by itself, failed if an exception leaves the block; sessions
    begun inside such a block, for the same user, are its sub-agents.
    """

    def __init__(self, opening: Opening) -> None:
        self.event = opening.agent_name
        self.event_id = opening.event_id
        self.user_id = opening.user_id
        self._last_error: str | None = None
        self._output: object = None
        self._activation: Activation | None = None
        try:
            self._session = root.open_session(opening, nested=True)
            if self._session.span.get_span_context().is_valid:
                self._activation = _session.activate(self._session)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
            _guard.failed("beginning an interaction", error)
            self._session = root.session_without_span(opening)

    @property
    def session_id(self) -> str:
        """The session's id: 32 hex digits of the trace, a dash, 16 of the root span."""
        return self._session.id

    # --- live events -------------------------------------------------------------------------------------------------

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
        return ToolCall(
            self._session,
            str(name),
            input,
            reasoning=reasoning,
            call_id=call_id,
            description=description,
            metadata=metadata,
        )

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
        return LlmEvent(self._session, model, provider=provider, input=input, metadata=metadata)

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
        return Decision(self._session, reasoning, alternatives, confidence, chosen, metadata=metadata)

    # --- events told afterwards --------------------------------------------------------------------------------------

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
    ) -> dict[str, Any]:
        """A tool call that has run; the arguments are those of :meth:`SentrialClient.track_tool_call`."""
        return tell(
            self._session,
            semconv.EVENT_TOOL_CALL,
            lambda session: afterwards.tell_tool_call(
                session,
                tool_name,
                tool_input,
                tool_output,
                reasoning=reasoning,
                estimated_cost=estimated_cost,
                tool_error=tool_error,
                token_count=token_count,
                call_id=call_id,
                duration_ms=duration_ms,
                metadata=metadata,
            ),
        )

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
    ) -> dict[str, Any]:
        """A decision that was taken; the arguments are those of :meth:`SentrialClient.track_decision`."""
        return tell(
            self._session,
            semconv.EVENT_DECISION,
            lambda session: afterwards.tell_decision(
                session,
                reasoning,
                alternatives,
                confidence,
                chosen=chosen,
                estimated_cost=estimated_cost,
                token_count=token_count,
                metadata=metadata,
            ),
        )

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
        return tell(
            self._session,
            semconv.EVENT_LLM_CALL,
            lambda session: afterwards.tell_llm_call(
                session,
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

    def track_error(
        self,
        error_message: str,
        error_type: str | None = None,
        tool_name: str | None = None,
        stack_trace: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """An error that happened; unless :meth:`finish` says otherwise, the interaction has failed."""
        self._last_error = str(error_message)
        return tell(
            self._session,
            semconv.EVENT_ERROR,
            lambda session: afterwards.tell_error(
                session,
                error_message,
                error_type,
                tool_name=tool_name,
                stack_trace=stack_trace,
                metadata=metadata,
            ),
        )

    # --- the end -----------------------------------------------------------------------------------------------------

    def set_output(self, output: object) -> None:
        """What :meth:`finish` sends as output if it is given none."""
        self._output = output

    def finish(
        self,
        output: object = None,
        success: bool | None = None,
        failure_reason: str | None = None,
        estimated_cost: float | None = None,
        custom_metrics: Mapping[str, float] | None = None,
        duration_ms: float | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        total_tokens: int | None = None,
    ) -> dict[str, Any]:
        """End the interaction; a second time does nothing.

        Args:
            output: what the agent answered.
            success: whether it succeeded; if not given, it did unless :meth:`track_error` was called.
            failure_reason: why not.
            estimated_cost: dollars; if not given, the sum of the costs that are known.
            custom_metrics: numbers of your own.
            duration_ms: milliseconds, if your own measure differs from the span's.
            prompt_tokens: input tokens; if not given, the sum over the model calls. So the next two.
            completion_tokens: output tokens.
            total_tokens: both.

        Returns:
            ``{"id": ..., "status": ..., "success": ...}``; ``{}`` if it had ended already.
        """
        if success is None:
            failure_reason = failure_reason or self._last_error
            success = failure_reason is None
        return self._finish(
            Ending(
                outcome=root.COMPLETED if success else root.FAILED,
                failure_reason=failure_reason,
                output=self._output if output is None else output,
                estimated_cost=estimated_cost,
                custom_metrics=custom_metrics or {},
                duration_ms=duration_ms,
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                total_tokens=total_tokens,
            )
        )

    def _finish(self, ending: Ending) -> dict[str, Any]:
        try:
            ended = root.end_session(self._session, ending)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
            _guard.failed("finishing an interaction", error)
            ended = False
        finally:
            if self._activation is not None:
                self._activation.leave()
        return outcome(self._session, ending) if ended else {}

    def __enter__(self) -> Interaction:
        self._session.lexical = True
        return self

    async def __aenter__(self) -> Interaction:
        return self.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
            return
        if failure.is_control_flow(error):
            self._finish(Ending(outcome=root.CANCELLED, output=self._output))
        else:
            self._finish(Ending(outcome=root.FAILED, error=error, output=self._output))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def tell(session: Session, event_type: str, write: Callable[[Session], Span]) -> dict[str, Any]:
    """Write one event of ``session``; what comes back names it, ``{}`` where writing failed."""
    try:
        span = write(session)
    except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
        _guard.failed(f"writing a {event_type}", error)
        return {}
    return {
        "id": f"{span.get_span_context().span_id:016x}",
        "sessionId": session.id,
        "eventType": event_type,
    }


def outcome(session: Session, ending: Ending) -> dict[str, Any]:
    """What completing a session gives back."""
    return {"id": session.id, "status": ending.outcome, "success": ending.outcome == root.COMPLETED}
