"""Events that are told when they are over: one call, one span.

Nothing is made up: an event without a duration of its own starts and ends at the moment it is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.trace import Span

from sentrial import semconv
from sentrial._session import Session
from sentrial._spans import amounts, event, failure
from sentrial._spans.decision import Decision
from sentrial._spans.llm_by_hand import LlmEvent
from sentrial._spans.tool import ToolCall

LONGEST_MS = 10 * 365 * 24 * 3_600_000.0
"""The longest duration that is believed, in milliseconds: ten years."""


def tell_tool_call(
    session: Session,
    tool_name: str,
    tool_input: object,
    tool_output: object,
    *,
    reasoning: str | None = None,
    estimated_cost: float | None = None,
    tool_error: object = None,
    token_count: int | None = None,
    call_id: str | None = None,
    duration_ms: float | None = None,
    trace_id: str | None = None,
    span_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Span:
    """A tool call that has run. ``duration_ms`` in milliseconds, ``estimated_cost`` in dollars."""
    now = time.time_ns()
    attributes: dict[str, Any] = {}
    call = ToolCall(
        session,
        tool_name,
        tool_input,
        reasoning=reasoning,
        call_id=call_id,
        metadata=metadata,
        start_time=now - _nanoseconds(duration_ms, attributes),
    )
    if tool_output is not None:
        call.set_output(tool_output)
    if estimated_cost is not None:
        call.set_cost(estimated_cost)
    if failure.is_told(tool_error):
        call.set_error(tool_error)
    tokens = amounts.read_count("token_count", token_count, attributes)
    if tokens is not None:
        attributes[semconv.SENTRIAL_USAGE_TOTAL_TOKENS] = tokens
    call.span.set_attributes(attributes)
    event.link(call.span, trace_id, span_id)
    call.end(end_time=now)
    return call.span


def tell_decision(
    session: Session,
    reasoning: str | None,
    alternatives: Iterable[str] | None = None,
    confidence: float | None = None,
    *,
    chosen: str | None = None,
    estimated_cost: float | None = None,
    token_count: int | None = None,
    trace_id: str | None = None,
    span_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Span:
    """A decision that was taken."""
    now = time.time_ns()
    decision = Decision(session, reasoning, alternatives, confidence, chosen, metadata=metadata, start_time=now)
    decision.set_usage(estimated_cost, token_count)
    event.link(decision.span, trace_id, span_id)
    decision.end(end_time=now)
    return decision.span


def tell_llm_call(
    session: Session,
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
) -> Span:
    """A model call that no patched client saw."""
    now = time.time_ns()
    attributes: dict[str, Any] = {}
    call = LlmEvent(
        session,
        model,
        provider=provider,
        input=input,
        metadata=metadata,
        start_time=now - _nanoseconds(duration_ms, attributes),
    )
    call.span.set_attributes(attributes)
    if output is not None:
        call.set_output(output)
    call.set_usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cached_tokens=cached_tokens,
        reasoning_tokens=reasoning_tokens,
        estimated_cost=estimated_cost,
    )
    if failure.is_told(error):
        call.set_error(error)
    call.end(end_time=now)
    return call.span


def _nanoseconds(duration_ms: float | None, attributes: dict[str, Any]) -> int:
    number = amounts.read_number("duration_ms", duration_ms, attributes, low=0.0, high=LONGEST_MS)
    return int(number * 1e6) if number is not None else 0
