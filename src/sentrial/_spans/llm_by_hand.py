"""A model call that the application tells of itself: the same span, through the same writer, as a patched client's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Span

from sentrial import semconv
from sentrial._session import Session
from sentrial._spans import amounts, llm
from sentrial._spans.failure import write_failure
from sentrial._spans.live import LiveEvent
from sentrial._spans.messages import read_input, read_output
from sentrial._spans.metadata import write_metadata
from sentrial.types import Deferred, LlmRequest, LlmResponse, Usage

UNKNOWN_PROVIDER = "unknown"


class LlmEvent(LiveEvent):
    """One model call: made by ``session.llm(...)``, used as ``with`` or ``async with``.

    Tokens that nobody names stay unknown; without a cost of the caller's, the call is priced by its tokens.
    """

    __slots__ = ("_attributes", "_call", "_error", "_finish_reason", "_output", "_response_id", "_session", "_usage")

    def __init__(
        self,
        session: Session,
        model: str,
        *,
        provider: str | None = None,
        input: object = None,  # noqa: A002 - the name that begin() has for it
        metadata: Mapping[str, Any] | None = None,
        start_time: int | None = None,
    ) -> None:
        super().__init__()
        self._attributes: dict[str, Any] = {}
        self._output: object = None
        self._usage: Usage | None = None
        self._error: object = None
        self._finish_reason: str | None = None
        self._response_id: str | None = None
        write_metadata(metadata, self._attributes)
        request = LlmRequest(
            semconv.OPERATION_CHAT,
            provider or UNKNOWN_PROVIDER,
            str(model),
            input=None if input is None else Deferred(input, read_input),
        )
        self._call = llm.begin(request, session=session, start_time=start_time)
        self._session = session

    @property
    def span(self) -> Span:
        """The call's span."""
        return self._call.span

    def set_output(self, output: object, *, finish_reason: str | None = None, response_id: str | None = None) -> None:
        """What the model answered."""
        self._output = output
        self._finish_reason = finish_reason
        self._response_id = response_id

    def set_usage(
        self,
        *,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        cached_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        estimated_cost: object = None,
    ) -> None:
        """What the call used: ``prompt_tokens`` with the cached ones included, ``estimated_cost`` in dollars."""
        attributes = self._attributes
        usage = Usage(
            input_tokens=amounts.read_count("prompt_tokens", prompt_tokens, attributes),
            output_tokens=amounts.read_count("completion_tokens", completion_tokens, attributes),
            cache_read_tokens=amounts.read_count("cached_tokens", cached_tokens, attributes),
            reasoning_tokens=amounts.read_count("reasoning_tokens", reasoning_tokens, attributes),
        )
        self._usage = usage if usage != Usage() else None
        cost = amounts.read_cost(estimated_cost, attributes)
        if cost is not None:
            attributes[semconv.SENTRIAL_ESTIMATED_COST] = cost
            self._session.add_cost(cost)

    def set_error(self, error: object) -> None:
        """Mark the call as failed: an exception, or words."""
        self._error = error

    def __enter__(self) -> LlmEvent:
        self._enter()
        return self

    async def __aenter__(self) -> LlmEvent:
        self._enter()
        return self

    @property
    def _context(self) -> Context:
        return self._call.context

    def _end(self, error: BaseException | None) -> None:
        self.end(error)

    def end(self, error: BaseException | None = None, end_time: int | None = None) -> None:
        """End the call; a second time does nothing. ``end_time``: nanoseconds since the epoch."""
        response = LlmResponse(
            id=self._response_id,
            usage=self._usage,
            finish_reasons=(self._finish_reason,) if self._finish_reason else (),
            output=None if self._output is None else Deferred(self._output, read_output),
        )
        if error is None and isinstance(self._error, BaseException):
            error = self._error
        if error is not None:
            self._call.fail(error, response, attributes=self._attributes, end_time=end_time)
            return
        if self._error is not None and not self._call.ended:
            write_failure(self.span, str(self._error))
        self._call.succeed(response, attributes=self._attributes, end_time=end_time)
