"""What is learned of an agent while it runs: its name, and what its model calls have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sentrial import semconv
from sentrial._session import Session
from sentrial.types import LlmRequest, LlmResponse

_COMMON = (
    ("model", semconv.GEN_AI_REQUEST_MODEL),
    ("max_tokens", semconv.GEN_AI_REQUEST_MAX_TOKENS),
    ("temperature", semconv.GEN_AI_REQUEST_TEMPERATURE),
    ("top_p", semconv.GEN_AI_REQUEST_TOP_P),
    ("stop_sequences", semconv.GEN_AI_REQUEST_STOP_SEQUENCES),
    ("frequency_penalty", semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY),
    ("presence_penalty", semconv.GEN_AI_REQUEST_PRESENCE_PENALTY),
    ("seed", semconv.GEN_AI_REQUEST_SEED),
    ("choice_count", semconv.GEN_AI_REQUEST_CHOICE_COUNT),
    ("output_type", semconv.GEN_AI_OUTPUT_TYPE),
)


def learn_name(session: Session, name: str) -> None:
    """Name the agent whose session it is, where nobody knew its name when it began."""
    session.agent_name = name
    session.span.update_name(f"{semconv.OPERATION_INVOKE_AGENT} {name}")
    session.span.set_attribute(semconv.GEN_AI_AGENT_NAME, name)


class AgentProfile:
    """Gathers its settings while it runs; a setting in which two calls differ is the agent's no more."""

    __slots__ = ("_first", "_reasons", "_settings")

    def __init__(self) -> None:
        self._settings: dict[str, Any] | None = None
        self._reasons: Sequence[str] = ()
        self._first: LlmRequest | None = None

    def learn(self, request: LlmRequest, response: LlmResponse | None) -> None:
        """Take one model call of the agent's own, which is over."""
        settings = {key: getattr(request, field) for field, key in _COMMON}
        if self._settings is None:
            self._settings, self._first = settings, request
        else:
            self._settings = {key: value for key, value in self._settings.items() if settings[key] == value}
        if response is not None and response.finish_reasons:
            self._reasons = response.finish_reasons

    def write(self, session: Session) -> None:
        """Say it on the span of the agent's ``session``, unless that has ended before the agent."""
        if not session.span.is_recording():
            return
        attributes = {key: value for key, value in (self._settings or {}).items() if value is not None}
        if self._reasons:
            attributes[semconv.GEN_AI_RESPONSE_FINISH_REASONS] = list(self._reasons)
        session.span.set_attributes(attributes)
        if self._first is None or session.payload is None:
            return
        if self._first.system is not None:
            session.payload.deferred(semconv.GEN_AI_SYSTEM_INSTRUCTIONS, self._first.system)
        if self._first.tools is not None:
            session.payload.deferred(semconv.GEN_AI_TOOL_DEFINITIONS, self._first.tools, definitions=True)
