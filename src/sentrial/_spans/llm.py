"""A call to a model: the one writer of LLM spans, for patched clients, framework callbacks and calls told by hand."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, overload

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, set_span_in_context

from sentrial import _ambient, _guard, _session, semconv
from sentrial._payload import Payload, end_span
from sentrial._session import Session
from sentrial._spans import cost, event, failure, joined, metrics, pending, source, tool_request
from sentrial._spans.joined import CallEnd, InnerCall
from sentrial._spans.llm_attributes import carried, metric_attributes, request_attributes, write_response
from sentrial._spans.messages import finished
from sentrial._totals import PricedCall
from sentrial.types import LlmRequest, LlmResponse, Usage

STREAM_DRAINED = "drained"
STREAM_CLOSED = "closed"
STREAM_ABANDONED = "abandoned"
STREAM_CANCELLED = "cancelled"
STREAM_ERROR = "error"


class LlmCall:
    """One call to a model, from just before it is made until its end; it ends exactly once.

    ``inner``: the last one that has joined it, to make it. ``response``: the answer, with all that was told of it, once
    the call has ended.
    """

    __slots__ = (
        "_began", "_first_chunk", "_handed", "_parent", "_retries", "_started", "_told", "_waited", "ended", "inner",
        "payload", "request", "response", "session", "span",
    )  # fmt: skip

    def __init__(
        self, request: LlmRequest, session: Session | None, start_time: int | None = None, *, has_span: bool = True
    ) -> None:
        self.request = request
        self.session = session
        self.ended = False
        self.inner: InnerCall | None = None
        self.response: LlmResponse | None = None
        self._handed: CallEnd | None = None
        self._first_chunk: float | None = None
        self._retries = 0
        self._waited: float | None = None
        self._told = start_time is not None
        self._began = time.time_ns() if start_time is None else start_time
        self._started = time.perf_counter()
        self.payload = Payload(session.texts, session) if session else Payload()
        self._parent = _session.live() if session is None else _session.parent_in(session)
        self.span = self._start(start_time) if has_span else INVALID_SPAN
        self.give_content(request)

    def give_content(self, request: LlmRequest) -> None:
        """What is asked, in words. What is given again, with an input, replaces what was."""
        payload = self.payload
        if self.ended or not payload.captures or not self.span.is_recording():
            return
        if request.input is not None:
            # Some have among the messages what others keep apart.
            payload.leave_out(semconv.GEN_AI_SYSTEM_INSTRUCTIONS, semconv.GEN_AI_TOOL_DEFINITIONS)
            payload.deferred(semconv.GEN_AI_INPUT_MESSAGES, request.input)
        if request.system is not None:
            payload.deferred(semconv.GEN_AI_SYSTEM_INSTRUCTIONS, request.system)
        if request.tools is not None:
            payload.deferred(semconv.GEN_AI_TOOL_DEFINITIONS, request.tools, definitions=True)
        for name, value in (request.prompt_variables or {}).items():
            payload.text(semconv.GEN_AI_PROMPT_VARIABLE_PREFIX + name, value)

    def _start(self, start_time: int | None) -> Span:
        request = self.request
        name = _span_name(request)
        attributes = request_attributes(request)
        if self.session is not None:
            return event.start_event(
                self.session,
                name,
                semconv.EVENT_LLM_CALL,
                attributes,
                parent=self._parent,
                kind=SpanKind.CLIENT,
                start_time=start_time,
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

    def follow(self, so_far: Callable[[], LlmResponse | None]) -> None:
        """The answer comes piece by piece: ``so_far`` reads what has come, for tools that run before the end."""
        if self.session is not None and self.span.get_span_context().is_valid:
            tool_request.follow(self.session, self.span.get_span_context(), so_far)

    def retry(self, status: int | None, wait: float | None) -> None:
        """Note that the request is sent again: after an HTTP ``status``, where one came, and ``wait`` seconds."""
        attributes: dict[str, Any] = {}
        if status is not None:
            attributes[semconv.HTTP_RESPONSE_STATUS_CODE] = status
        if wait is not None:
            attributes[semconv.SENTRIAL_RETRY_WAIT] = wait
            self._waited = wait + (self._waited or 0.0)
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
        self._end(CallEnd(response, stream_end, attributes or {}), end_time)

    def fail(
        self,
        error: object,
        response: LlmResponse | None = None,
        *,
        stream_end: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        end_time: int | None = None,
    ) -> None:
        """End the call with what went wrong, and with the part of the answer that came before.

        ``error``: the exception that was raised, or what the caller says: words, or ``{"message": ..., "type": ...}``.
        Cancellation is no failure: it leaves the status alone.
        """
        self._end(CallEnd(response, stream_end, attributes or {}, error), end_time)

    # --- what is made by another call that joins it ----------------------------------------------------------------

    def join(self, request: LlmRequest) -> None:
        """Whoever makes the call knows better what is asked: ``request``. What that leaves open stays as it was."""
        if self.ended:
            return
        self._handed = self._first_chunk = None
        before = self.request
        if request.provider == cost.UNKNOWN_PROVIDER:
            request = request._replace(provider=before.provider)
        self.request = joined.filled(request, before)
        if self.span.is_recording():
            # What an attribute said cannot be taken back, only corrected.
            streams = {semconv.GEN_AI_REQUEST_STREAM: request.stream} if before.stream else {}
            self.span.set_attributes({**request_attributes(self.request), **streams})
            if _span_name(self.request) != _span_name(before):
                self.span.update_name(_span_name(self.request))
        self.give_content(request)

    def hand(self, end: CallEnd) -> None:
        """Take what whoever makes the call tells of its end, for when this call ends."""
        if not self.ended:
            self._handed = end if self._handed is None else self._handed.within(end)

    # --- the end ---------------------------------------------------------------------------------------------------

    def _end(self, end: CallEnd, end_time: int | None) -> None:
        if self.ended:
            return
        self.ended = True
        if self._handed is not None:
            end = self._handed.within(end)
        response, stream_end, attributes, error = end
        self.response = response
        if error is not None and _guard.is_a(error, BaseException) and failure.outcome_of_control_flow(error):
            stream_end, error = STREAM_CANCELLED, None
        seconds = self._seconds(end_time)
        usage = response.usage if response else None
        if error is None and response is not None:
            error = response.error
        try:
            priced = self._count(response, usage, named=semconv.SENTRIAL_ESTIMATED_COST in attributes)
            if self.span.is_recording():
                if priced is not None:
                    self.payload.later(semconv.SENTRIAL_ESTIMATED_COST, functools.partial(cost.price, priced))
                self._write(response, stream_end, error, dict(attributes))
            if metrics.wanted():
                metrics.record_call(metric_attributes(self.request, response, error), seconds, usage)
        finally:
            end_span(self.span, self.payload, end_time)

    def _write(
        self, response: LlmResponse | None, stream_end: str | None, error: object, attributes: dict[str, Any]
    ) -> None:
        if stream_end is not None:
            attributes[semconv.SENTRIAL_STREAM_END] = stream_end
        if self._retries:
            attributes[semconv.SENTRIAL_RETRY_COUNT] = self._retries
        if self._waited is not None:
            attributes[semconv.SENTRIAL_RETRY_WAIT] = self._waited
        if self._first_chunk is not None:
            attributes[semconv.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = self._first_chunk - self._started
        if response is not None:
            write_response(response, attributes)
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

    @_guard.guarded("counting a call", _guard.nothing)
    def _count(self, response: LlmResponse | None, usage: Usage | None, *, named: bool) -> PricedCall | None:
        """Book the call on its session, a fetched answer on that of who had it made; gives what has to be priced."""
        session = booked_on = self.session
        fetched = self.request.operation == semconv.OPERATION_FETCH_RESPONSE
        if fetched:
            booked_on = pending.take(session, response)
            usage = response.made_usage if response is not None and booked_on is not None else None
        model = (response.model if response else None) or self.request.model
        call = None
        if usage is not None and model is not None and not named:
            call = PricedCall(self.request.provider, model, usage, time.time_ns())
        if booked_on is not None:
            booked_on.add_call(call, usage, count=0 if fetched else 1)
        if session is not None:
            if not fetched:
                pending.remember(session, response)
            # Without a span there is nothing that a tool could link to.
            if self.span.get_span_context().is_valid:
                tool_request.remember(session, response, self.span.get_span_context(), fetched=fetched)
        return call


AnyCall: TypeAlias = LlmCall | InnerCall


@overload
def begin(request: LlmRequest, *, session: Session, start_time: int | None = None) -> LlmCall: ...


@overload
def begin(
    request: LlmRequest, *, session: Session | None = None, start_time: int | None = None, has_span: bool = True
) -> AnyCall: ...


def begin(
    request: LlmRequest, *, session: Session | None = None, start_time: int | None = None, has_span: bool = True
) -> AnyCall:
    """Start the span of a call that is about to be made, in ``session`` or else in the current one.

    Without ``session``, one that asks a model for an answer joins the call that is open around it, if there is one. (An
    ``LlmCall`` joins nothing.) The input is taken as a snapshot now: what the program does to its messages afterwards
    does not show.
    ``start_time``: nanoseconds since the epoch; now, if not given. ``has_span``: ``False`` for a call that only counts;
    what joins it gets no span either.
    """
    if session is not None:
        return LlmCall(request, session, start_time, has_span=has_span)
    inner = joined.join(request) if request.operation in semconv.OPERATIONS_OF_INFERENCE else None
    return inner if inner is not None else LlmCall(request, _ambient.session_for_call(), start_time, has_span=has_span)


def _span_name(request: LlmRequest) -> str:
    return f"{request.operation} {carried(request.model)}" if request.model else request.operation
