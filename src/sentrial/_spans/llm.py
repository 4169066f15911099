"""A call to a model: the one writer of LLM spans, for patched clients, framework callbacks and calls told by hand."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, set_span_in_context

from sentrial import _ambient, _session, semconv
from sentrial._payload import Payload, end_span
from sentrial._session import Session
from sentrial._spans import cost, event, failure, metrics, source, tool_request
from sentrial._spans.messages import finished
from sentrial._totals import PricedCall
from sentrial.types import LlmRequest, LlmResponse, Usage

STREAM_DRAINED = "drained"
STREAM_CLOSED = "closed"
STREAM_ABANDONED = "abandoned"
STREAM_CANCELLED = "cancelled"
STREAM_ERROR = "error"

FINISH_UNKNOWN = "error"
"""The conventions' finish reason of a choice whose end never came."""

_REQUEST_FIELDS = (
    ("max_tokens", semconv.GEN_AI_REQUEST_MAX_TOKENS),
    ("temperature", semconv.GEN_AI_REQUEST_TEMPERATURE),
    ("top_p", semconv.GEN_AI_REQUEST_TOP_P),
    ("top_k", semconv.GEN_AI_REQUEST_TOP_K),
    ("stop_sequences", semconv.GEN_AI_REQUEST_STOP_SEQUENCES),
    ("frequency_penalty", semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY),
    ("presence_penalty", semconv.GEN_AI_REQUEST_PRESENCE_PENALTY),
    ("seed", semconv.GEN_AI_REQUEST_SEED),
    ("choice_count", semconv.GEN_AI_REQUEST_CHOICE_COUNT),
    ("reasoning_level", semconv.GEN_AI_REQUEST_REASONING_LEVEL),
    ("output_type", semconv.GEN_AI_OUTPUT_TYPE),
    ("api_type", semconv.OPENAI_API_TYPE),
    ("service_tier", semconv.OPENAI_REQUEST_SERVICE_TIER),
    ("previous_response_id", semconv.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID),
    ("response_id", semconv.GEN_AI_RESPONSE_ID),
    ("stream_cursor", semconv.GEN_AI_REQUEST_STREAM_CURSOR),
    ("encoding_formats", semconv.GEN_AI_REQUEST_ENCODING_FORMATS),
    ("dimension_count", semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT),
    ("prompt_name", semconv.GEN_AI_PROMPT_NAME),
    ("prompt_version", semconv.GEN_AI_PROMPT_VERSION),
    ("guardrail_id", semconv.AWS_BEDROCK_GUARDRAIL_ID),
)
_RESPONSE_FIELDS = (
    ("id", semconv.GEN_AI_RESPONSE_ID),
    ("model", semconv.GEN_AI_RESPONSE_MODEL),
    ("service_tier", semconv.OPENAI_RESPONSE_SERVICE_TIER),
    ("system_fingerprint", semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT),
    ("status", semconv.GEN_AI_RESPONSE_STATUS),
    ("dimension_count", semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT),
)
_USAGE_FIELDS = (
    ("input_tokens", semconv.GEN_AI_USAGE_INPUT_TOKENS),
    ("output_tokens", semconv.GEN_AI_USAGE_OUTPUT_TOKENS),
    ("cache_read_tokens", semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_write_tokens", semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("reasoning_tokens", semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("text_input_tokens", semconv.GEN_AI_USAGE_TEXT_INPUT_TOKENS),
    ("image_input_tokens", semconv.GEN_AI_USAGE_IMAGE_INPUT_TOKENS),
    ("audio_input_tokens", semconv.GEN_AI_USAGE_AUDIO_INPUT_TOKENS),
    ("text_output_tokens", semconv.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS),
    ("image_output_tokens", semconv.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS),
    ("audio_output_tokens", semconv.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS),
    ("text_cache_read_tokens", semconv.GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS),
    ("image_cache_read_tokens", semconv.GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS),
    ("audio_cache_read_tokens", semconv.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS),
)


def _by_place(kind: type[Any], fields: Iterable[tuple[str, str]]) -> tuple[tuple[int, str], ...]:
    # By place, not by name: a third of the time, and there are many for each call.
    return tuple((kind._fields.index(field), key) for field, key in fields)


_REQUEST = _by_place(LlmRequest, _REQUEST_FIELDS)
_RESPONSE = _by_place(LlmResponse, _RESPONSE_FIELDS)
_USAGE = _by_place(Usage, _USAGE_FIELDS)
_WHOLE = frozenset({semconv.GEN_AI_USAGE_INPUT_TOKENS, semconv.GEN_AI_USAGE_OUTPUT_TOKENS})


class LlmCall:
    """One call to a model, from just before it is made until its end; it ends exactly once."""

    __slots__ = (
        "_began", "_first_chunk", "_parent", "_retries", "_started", "_told", "_waited", "ended", "payload", "request",
        "session", "span",
    )  # fmt: skip

    def __init__(self, request: LlmRequest, session: Session | None, start_time: int | None) -> None:
        self.request = request
        self.session = session
        self.ended = False
        self._first_chunk: float | None = None
        self._retries = 0
        self._waited = 0.0
        self._told = start_time is not None
        self._began = time.time_ns() if start_time is None else start_time
        self._started = time.perf_counter()
        self.payload = Payload(session.texts, session) if session else Payload()
        self._parent = _session.live() if session is None else _session.parent_in(session)
        self.span = self._start(start_time)
        self.give_content(request)

    def give_content(self, request: LlmRequest) -> None:
        """What is asked, in words. What is given again replaces what was."""
        payload = self.payload
        if self.ended or not payload.captures or not self.span.is_recording():
            return
        if request.input is not None:
            payload.deferred(semconv.GEN_AI_INPUT_MESSAGES, request.input)
        if request.system is not None:
            payload.deferred(semconv.GEN_AI_SYSTEM_INSTRUCTIONS, request.system)
        if request.tools is not None:
            payload.deferred(semconv.GEN_AI_TOOL_DEFINITIONS, request.tools, definitions=True)
        for name, value in (request.prompt_variables or {}).items():
            payload.text(semconv.GEN_AI_PROMPT_VARIABLE_PREFIX + name, value)

    def _start(self, start_time: int | None) -> Span:
        request = self.request
        name = f"{request.operation} {request.model}" if request.model else request.operation
        attributes = _request_attributes(request)
        if self.session is not None:
            return event.start_event(
                self.session, name, semconv.EVENT_LLM_CALL, attributes, kind=SpanKind.CLIENT, start_time=start_time
            )
        return source.tracer().start_span(name, self._parent, SpanKind.CLIENT, attributes, start_time=start_time)

    @property
    def context(self) -> Context:
        """The context to make current while the client does its work: what it starts nests under this call."""
        if not self.span.get_span_context().is_valid:
            return self._parent
        return set_span_in_context(self.span, self._parent)

    def mark_chunk(self) -> None:
        """Note that a chunk of a stream has come; the first one counts."""
        if self._first_chunk is None:
            self._first_chunk = time.perf_counter()

    def retry(self, status: int | None, wait: float | None) -> None:
        """Note that the request is sent again: after an HTTP ``status``, where one came, and ``wait`` seconds."""
        attributes: dict[str, Any] = {}
        if status is not None:
            attributes[semconv.HTTP_RESPONSE_STATUS_CODE] = status
        if wait is not None:
            attributes[semconv.SENTRIAL_RETRY_WAIT] = wait
            self._waited += wait
        self._retries += 1
        self.span.add_event(semconv.RETRY_EVENT, attributes)

    def succeed(
        self,
        response: LlmResponse | None,
        *,
        stream_end: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        end_time: int | None = None,
    ) -> None:
        """End the call with its answer, or with the part of it that came; ``stream_end`` says how a stream ended."""
        self._end(response, stream_end, None, dict(attributes or {}), end_time)

    def fail(
        self,
        error: BaseException,
        response: LlmResponse | None = None,
        *,
        stream_end: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        end_time: int | None = None,
    ) -> None:
        """End the call with the exception that it raised, and with the part of the answer that came before.

        Cancellation is no failure: it leaves the status alone.
        """
        if failure.is_control_flow(error):
            self._end(response, STREAM_CANCELLED, None, dict(attributes or {}), end_time)
        else:
            self._end(response, stream_end, error, dict(attributes or {}), end_time)

    def fail_as_told(
        self,
        error: object,
        response: LlmResponse | None = None,
        *,
        attributes: Mapping[str, Any] | None = None,
        end_time: int | None = None,
    ) -> None:
        """End the call as failed by what the caller says: words, or ``{"message": ..., "type": ...}``."""
        self._end(response, None, error, dict(attributes or {}), end_time)

    def _end(
        self,
        response: LlmResponse | None,
        stream_end: str | None,
        error: object,
        attributes: dict[str, Any],
        end_time: int | None,
    ) -> None:
        if self.ended:
            return
        self.ended = True
        seconds = self._seconds(end_time)
        usage = response.usage if response else None
        if error is None and response is not None:
            error = response.error
        try:
            priced = self._count(response, usage, named=semconv.SENTRIAL_ESTIMATED_COST in attributes)
            if self.span.is_recording():
                if priced is not None:
                    self.payload.later(semconv.SENTRIAL_ESTIMATED_COST, lambda: cost.price(priced))
                self._write(response, stream_end, error, attributes)
            if metrics.wanted():
                metrics.record_call(_common(self.request, response, error), seconds, usage)
        finally:
            end_span(self.span, self.payload, end_time)

    def _write(
        self, response: LlmResponse | None, stream_end: str | None, error: object, attributes: dict[str, Any]
    ) -> None:
        if stream_end is not None:
            attributes[semconv.SENTRIAL_STREAM_END] = stream_end
        if self._retries:
            attributes[semconv.SENTRIAL_RETRY_COUNT] = self._retries
            attributes[semconv.SENTRIAL_RETRY_WAIT] = self._waited
        if self._first_chunk is not None:
            attributes[semconv.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = self._first_chunk - self._started
        if response is not None:
            _write_response(response, attributes)
            if response.output is not None:
                self.payload.deferred(
                    semconv.GEN_AI_OUTPUT_MESSAGES, finished(response.output, response.finish_reasons)
                )
        if self.session is not None and self.session.ended:
            attributes[semconv.SENTRIAL_LATE] = True
        self.span.set_attributes(attributes)
        if error is not None:
            failure.write_told(self.span, error)

    def _seconds(self, end_time: int | None) -> float | None:
        """How long the call took; ``None`` where it was told afterwards and nobody said."""
        if end_time is None:
            return time.perf_counter() - self._started
        seconds = max(0.0, (end_time - self._began) / 1e9)
        return seconds or None if self._told else seconds

    def _count(self, response: LlmResponse | None, usage: Usage | None, *, named: bool) -> PricedCall | None:
        """Book the call on its session; gives what has to be priced."""
        model = (response.model if response else None) or self.request.model
        call = None
        if usage is not None and model is not None and not named:
            call = PricedCall(self.request.provider, model, usage, time.time_ns())
        if self.session is not None and self.request.operation != semconv.OPERATION_FETCH_RESPONSE:
            self.session.add_call(call, usage)
            if response is not None:
                tool_request.remember(self.session, response, self.span.get_span_context())
        return call


def begin(request: LlmRequest, *, session: Session | None = None, start_time: int | None = None) -> LlmCall:
    """Start the span of a call that is about to be made, in ``session`` or else in the current one.

    The input is taken as a snapshot now: what the program does to its messages afterwards does not show.
    ``start_time``: nanoseconds since the epoch; now, if not given.
    """
    return LlmCall(request, _ambient.session_for_call() if session is None else session, start_time)


def _request_attributes(request: LlmRequest) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        semconv.GEN_AI_OPERATION_NAME: request.operation,
        semconv.GEN_AI_PROVIDER_NAME: request.provider,
        semconv.SENTRIAL_EVENT_TYPE: semconv.EVENT_LLM_CALL,
    }
    if request.model:
        attributes[semconv.GEN_AI_REQUEST_MODEL] = request.model
    if request.server_address:
        attributes[semconv.SERVER_ADDRESS] = request.server_address
        if request.server_port:
            attributes[semconv.SERVER_PORT] = request.server_port
    if request.stream:
        attributes[semconv.GEN_AI_REQUEST_STREAM] = True
    if request.conversation_id is not None:
        attributes[semconv.GEN_AI_CONVERSATION_ID] = request.conversation_id
    for place, key in _REQUEST:
        value = request[place]
        if value is not None:
            attributes[key] = value
    return attributes


def _write_response(response: LlmResponse, attributes: dict[str, Any]) -> None:
    for place, key in _RESPONSE:
        value = response[place]
        if value is not None:
            attributes[key] = value
    if response.compacted:
        attributes[semconv.GEN_AI_CONVERSATION_COMPACTED] = True
    if response.finish_reasons:
        attributes[semconv.GEN_AI_RESPONSE_FINISH_REASONS] = list(response.finish_reasons)
    if response.usage is not None:
        write_usage(response.usage, attributes)


def write_usage(usage: Usage, attributes: dict[str, Any]) -> None:
    """Add the tokens that were said; what was not said is left out, and parts of zero tokens are no news."""
    for place, key in _USAGE:
        value = usage[place]
        if value or (value == 0 and key in _WHOLE):
            attributes[key] = value


def _common(request: LlmRequest, response: LlmResponse | None, error: object) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        semconv.GEN_AI_OPERATION_NAME: request.operation,
        semconv.GEN_AI_PROVIDER_NAME: request.provider,
    }
    if request.model:
        attributes[semconv.GEN_AI_REQUEST_MODEL] = request.model
    if response is not None and response.model:
        attributes[semconv.GEN_AI_RESPONSE_MODEL] = response.model
    if request.server_address:
        attributes[semconv.SERVER_ADDRESS] = request.server_address
        if request.server_port:
            attributes[semconv.SERVER_PORT] = request.server_port
    if error is not None:
        attributes[semconv.ERROR_TYPE] = failure.type_of_told(error)
    return attributes
