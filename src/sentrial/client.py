"""The client: sessions by id, for one account."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sentrial import _config, _guard, _registry, _setup
from sentrial._session import Account, Session
from sentrial._spans import root
from sentrial._spans.root import Ending, Opening
from sentrial.events import SessionEvents
from sentrial.interaction import Interaction, outcome

DEFAULT_FLUSH = 30.0


class SentrialClient:
    """Sessions for one account. Making one sets up what it needs, and opens no connection.

    Args:
        api_url: Sentrial's address; else that of ``configure()``, else ``SENTRIAL_API_URL``, else the public one.
        api_key: your key; else that of ``configure()``, else ``SENTRIAL_API_KEY``. Without one, sessions go wherever
            else is configured, or into the local store.
        fail_silently: ``False`` raises on bad input; else it is logged, and your program goes on.

    Raises:
        ValueError: with ``fail_silently=False``, for a value that makes no sense.
    """

    def __init__(self, api_url: str | None = None, api_key: str | None = None, fail_silently: bool = True) -> None:
        self.fail_silently = fail_silently
        process = _setup.ensure()
        # The address and the key may be this client's own; everything else is the process's.
        given = {
            "api_url": process.api_url if api_url is None else api_url,
            "api_key": process.api_key if api_key is None else api_key,
        }
        config = _config.read_config(given, strict=not fail_silently)
        self.api_url = config.api_url
        self._account: Account | None = _setup.account_of(config)

    def __repr__(self) -> str:
        return f"SentrialClient(api_url={self.api_url!r}, api_key={'***' if self._account else None!r})"

    def create_session(
        self,
        name: str,
        agent_name: str,
        user_id: str | None,
        parent_session_id: str | None = None,
        convo_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Open a session. It is not made current: events are added to it by its id.

        Args:
            name: a descriptive name.
            agent_name: groups sessions; low in cardinality.
            user_id: whose interaction it is.
            parent_session_id: the session that caused this one; it gets a link.
            convo_id: the conversation that it belongs to.
            metadata: anything else.

        Returns:
            The session's id: 49 characters, trace and root span in hex.
        """
        opening = Opening(
            agent_name=str(agent_name),
            user_id=_text(user_id),
            name=_text(name),
            conversation_id=_text(convo_id),
            parent_session_id=_text(parent_session_id),
            metadata=metadata,
            account=self._account_now(),
        )
        try:
            root.end_idle(_config.active.session_timeout)
            return root.open_session(opening, nested=False).id
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
            _guard.failed("creating a session", error)
            return root.session_without_span(opening).id

    def complete_session(
        self,
        session_id: str,
        success: bool = True,
        failure_reason: str | None = None,
        estimated_cost: float | None = None,
        custom_metrics: Mapping[str, float] | None = None,
        duration_ms: float | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        total_tokens: int | None = None,
        user_input: object = None,
        assistant_output: object = None,
    ) -> dict[str, Any]:
        """End a session, from any process.

        Args:
            session_id: what :meth:`create_session` gave.
            success: whether it succeeded.
            failure_reason: why not.
            estimated_cost: dollars; if not given, the sum of the costs that are known.
            custom_metrics: numbers of your own.
            duration_ms: milliseconds, if your own measure differs from the span's.
            prompt_tokens: input tokens; if not given, the sum over the model calls. So the next two.
            completion_tokens: output tokens.
            total_tokens: both.
            user_input: what the user said.
            assistant_output: what the agent answered.

        Returns:
            ``{"id": ..., "status": ..., "success": ...}``; ``{}`` for an unknown session, or one that has ended.
        """
        session = self._find(session_id)
        if session is None:
            return {}
        ending = Ending(
            outcome=root.COMPLETED if success else root.FAILED,
            failure_reason=failure_reason,
            input=user_input,
            output=assistant_output,
            estimated_cost=estimated_cost,
            custom_metrics=custom_metrics or {},
            duration_ms=duration_ms,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            total_tokens=total_tokens,
        )
        try:
            _setup.settle()
            ended = root.end_session(session, ending)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's program
            _guard.failed("completing a session", error)
            return {}
        if not ended:
            self._complain(
                "completed already",
                f"session {session_id!r} is completed already; the second completion is not recorded.",
            )
            return {}
        return outcome(session, ending)

    def begin(
        self,
        user_id: str | None,
        event: str,
        input: object = None,  # noqa: A002 - the name that the users of the old SDK know
        event_id: str | None = None,
        convo_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Interaction:
        """Open a session as an object, and make it current until its ``finish()``; see :func:`sentrial.begin`."""
        root.end_idle(_config.active.session_timeout)
        event_id = _text(event_id) or str(uuid.uuid4())
        return Interaction(
            Opening(
                agent_name=str(event),
                user_id=_text(user_id),
                name=f"{event}:{event_id[:8]}",
                conversation_id=_text(convo_id),
                event_id=event_id,
                metadata=metadata,
                input=input,
                account=self._account_now(),
            )
        )

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
            call_id=call_id, duration_ms=duration_ms,
        )  # fmt: skip

    def track_decision(
        self,
        session_id: str,
        reasoning: str,
        alternatives: Iterable[str] | None = None,
        confidence: float | None = None,
        estimated_cost: float | None = None,
        token_count: int | None = None,
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
            metadata: anything else.
            chosen: what it chose.

        Returns:
            As :meth:`track_tool_call`.
        """
        events = self._events(session_id)
        if events is None:
            return {}
        return events.track_decision(
            reasoning, alternatives, confidence, estimated_cost, token_count, metadata, chosen=chosen
        )

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

    def track_error(
        self,
        session_id: str,
        error_message: str,
        error_type: str | None = None,
        tool_name: str | None = None,
        stack_trace: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Add an error that happened.

        Args:
            session_id: what :meth:`create_session` gave, in this process or another.
            error_message: its words.
            error_type: its kind, low in cardinality.
            tool_name: the tool that it happened in.
            stack_trace: where.
            metadata: anything else.
        """
        events = self._events(session_id)
        if events is None:
            return {}
        return events.track_error(error_message, error_type, tool_name, stack_trace, metadata)

    def flush(self, timeout: float = DEFAULT_FLUSH) -> bool:
        """Wait until everything that has ended is dealt with; see :func:`sentrial.flush`."""
        return _setup.flush(timeout)

    def _account_now(self) -> Account | None:
        """This client's account; named again, for after a shutdown the road no longer knows it."""
        config = _setup.ensure()
        if self._account is not None and config.enabled:
            _setup.add_account(self._account)
        return self._account

    def _find(self, session_id: str) -> Session | None:
        session = _registry.find(session_id) if isinstance(session_id, str) else None
        if session is None:
            session = _registry.remember_foreign(session_id, self._account_now())
        if session is None:
            self._complain(
                "no session id", f"{session_id!r} is no session id: give what create_session() or begin() returned."
            )
        return session

    def _events(self, session_id: str) -> SessionEvents | None:
        session = self._find(session_id)
        return None if session is None else SessionEvents(session)

    def _complain(self, kind: str, words: str) -> None:
        if not self.fail_silently:
            raise ValueError(words)
        _guard.say_once(kind, "sentrial: %s More of this kind is not logged.", words)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
