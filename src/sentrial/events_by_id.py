"""The events of sessions that are told by id, from any process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sentrial import _guard, _registry
from sentrial._handle import read_handle
from sentrial._session import Account, Session
from sentrial._unknown_arguments import lenient
from sentrial.events import OfSession, SessionEvents


class EventsById:
    """Adds events to the sessions of one account, wherever they were opened."""

    fail_silently: bool

    @lenient()
    def track_tool_call(
        self,
        session_id: str,
        tool_name: str,
        tool_input: object,
        tool_output: object,
        reasoning: str | None = None,
        estimated_cost: float | None = None,
        tool_error: object = None,
        token_count: int | None = None,
        trace_id: str | None = None,
        span_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        call_id: str | None = None,
        duration_ms: float | None = None,
    ) -> dict[str, Any]:
        """Add a tool call that has run.

        Args:
            session_id: what :meth:`create_session` gave, in this process or another.
            tool_name: the tool's name, low in cardinality.
            tool_input: its arguments; anything that is no mapping is kept under ``input``.
            tool_output: what it gave; anything that is no mapping is kept under ``result``.
            reasoning: why the agent called it.
            estimated_cost: dollars.
            tool_error: what went wrong: words, an exception, or ``{"message": ..., "type": ...}``.
            token_count: tokens that the tool used.
            trace_id: with ``span_id``, a span that says more of it, in the hex of OpenTelemetry: it gets a link.
            span_id: see ``trace_id``.
            metadata: anything else.
            call_id: the id that the model gave the call; it links the tool with the model call that asked for it.
            duration_ms: how long it ran, in milliseconds; without it the span has no duration.

        Returns:
            ``{"id": ..., "sessionId": ..., "eventType": ...}``; ``{}`` if there is no such session.
        """
        events = self._events(session_id)
        if events is None:
            return {}
        return events.track_tool_call(
            tool_name, tool_input, tool_output, reasoning, estimated_cost, tool_error, token_count, metadata,
            call_id=call_id, duration_ms=duration_ms, trace_id=trace_id, span_id=span_id,
        )  # fmt: skip

    @lenient()
    def track_decision(
        self,
        session_id: str,
        reasoning: str,
        alternatives: Iterable[str] | None = None,
        confidence: float | None = None,
        estimated_cost: float | None = None,
        token_count: int | None = None,
        trace_id: str | None = None,
        span_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        chosen: str | None = None,
    ) -> dict[str, Any]:
        """Add a decision that was taken.

        Args:
            session_id: what :meth:`create_session` gave, in this process or another.
            reasoning: why.
            alternatives: what else was possible.
            confidence: how sure the agent was, from 0 to 1.
            estimated_cost: dollars.
            token_count: tokens that deciding used.
            trace_id: as in :meth:`track_tool_call`.
            span_id: as in :meth:`track_tool_call`.
            metadata: anything else.
            chosen: what it chose.

        Returns:
            As :meth:`track_tool_call`.
        """
        events = self._events(session_id)
        if events is None:
            return {}
        return events.track_decision(
            reasoning, alternatives, confidence, estimated_cost, token_count, metadata,
            chosen=chosen, trace_id=trace_id, span_id=span_id,
        )  # fmt: skip

    @lenient()
    def track_llm_call(
        self,
        session_id: str,
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
        """Add a model call that no patched client saw.

        Args:
            session_id: what :meth:`create_session` gave, in this process or another.
            model: the model's name.
            provider: who serves it, in the words of ``gen_ai.provider.name``: ``openai``, ``anthropic``, ...
            input: the prompt, or a list of ``{"role": ..., "content": ...}``.
            output: what the model answered.
            prompt_tokens: input tokens, cached ones included.
            completion_tokens: output tokens, reasoning included.
            cached_tokens: those of the input that came from a cache.
            reasoning_tokens: those of the output that were reasoning.
            estimated_cost: dollars; if not given, the tokens are priced.
            duration_ms: how long it took, in milliseconds; without it the span has no duration.
            error: what went wrong: an exception, or words.
            metadata: anything else.

        Returns:
            As :meth:`track_tool_call`.
        """
        events = self._events(session_id)
        if events is None:
            return {}
        return events.track_llm_call(
            model, provider=provider, input=input, output=output,
            prompt_tokens=prompt_tokens, completion_tokens=completion_tokens,
            cached_tokens=cached_tokens, reasoning_tokens=reasoning_tokens,
            estimated_cost=estimated_cost, duration_ms=duration_ms, error=error, metadata=metadata,
        )  # fmt: skip

    @lenient()
    def track_error(
        self,
        session_id: str,
        error_message: str,
        error_type: str | None = None,
        tool_name: str | None = None,
        stack_trace: str | None = None,
        trace_id: str | None = None,
        span_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Add an error that happened.

        Args:
            session_id: what :meth:`create_session` gave, in this process or another.
            error_message: its words.
            error_type: its kind, low in cardinality.
            tool_name: the tool that it happened in.
            stack_trace: where.
            trace_id: as in :meth:`track_tool_call`.
            span_id: as in :meth:`track_tool_call`.
            metadata: anything else.
        """
        events = self._events(session_id)
        if events is None:
            return {}
        return events.track_error(
            error_message, error_type, tool_name, stack_trace, metadata, trace_id=trace_id, span_id=span_id
        )

    def _account_now(self) -> Account | None:
        """Whose sessions they are."""
        raise NotImplementedError

    def _find(self, session_id: object) -> Session | None:
        """The session of that id, or a stand-in for one of another process; ``None``, and said, for a bad id."""
        session = self._look_up(session_id)
        if session is None:
            self._complain("no session id", no_session_id(session_id))
        return session

    def _look_up(self, session_id: object) -> Session | None:
        """The same without a word. What ``begin()`` returned stands for its id."""
        if _guard.is_a(session_id, OfSession):
            return session_id._session
        if _guard.is_a(session_id, str):
            session_id = str.__str__(session_id)
        session = _registry.find(session_id) if type(session_id) is str else None
        if session is None:
            handle = read_handle(session_id)
            if handle is not None:
                session = _registry.find(handle.session_id)
                session = session or _registry.remember_foreign(handle, self._account_now())
        return session

    @_guard.guarded("finding a session", _guard.nothing)
    def _events(self, session_id: object) -> SessionEvents | None:
        session = self._find(session_id)
        return None if session is None else SessionEvents(session, loud=not self.fail_silently)

    def _complain(self, kind: str, words: str) -> None:
        if not self.fail_silently:
            raise _guard.RefusedError(words)
        _guard.say_once(kind, "sentrial: %s More of this kind is not logged.", words)


def no_session_id(given: object) -> str:
    """What is said of ``given``, where a session's id should be."""
    return f"{_guard.shown(given)} is no session id: give what create_session() returned, or begin(...).session_id."
