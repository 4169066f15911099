"""A model call that the application tells of itself: the same span, through the same writer, as a patched client's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sentrial import _guard, semconv
from sentrial._session import Session
from sentrial._spans import amounts, llm
from sentrial._spans.cost import UNKNOWN_PROVIDER
from sentrial._spans.live import LiveEvent, setter
from sentrial._spans.llm import LlmCall
from sentrial._spans.messages import finished, read_input, read_output, read_tool_call_ids
from sentrial._spans.metadata import write_metadata
from sentrial._spans.name import read_id, read_name
from sentrial.types import Deferred, LlmRequest, LlmResponse, Usage


class LlmEvent(LiveEvent):
    """One model call: made by ``session.llm(...)``, used as ``with`` or ``async with``.

    Tokens that nobody names stay unknown; without a cost of the caller's, the call is priced by its tokens.
    """

    __slots__ = (
        "_attributes",
        "_call",
        "_error",
        "_finish_reason",
        "_response_id",
        "_tool_calls",
        "_usage",
    )

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
        super().__init__(session)
        self._attributes: dict[str, Any] = {}
        self._usage: Usage | None = None
        self._error: object = None
        self._finish_reason: str | None = None
        self._response_id: str | None = None
        self._tool_calls: Sequence[str] = ()
        self._call: LlmCall | None = None
        try:
            request = LlmRequest(
                semconv.OPERATION_CHAT,
                read_id("provider", provider) or UNKNOWN_PROVIDER,
                read_name("model", model),
                input=None if input is None else Deferred(input, read_input),
            )
            self._call = llm.begin(request, session=session, start_time=start_time)
            self.span = self._call.span
            write_metadata(metadata, self._attributes)
        except Exception as error:  # noqa: BLE001 - nothing of ours may keep the user from calling the model
            _guard.failed("starting a model call", error)

    @setter("setting a model's output")
    def set_output(self, output: object, *, finish_reason: str | None = None, response_id: str | None = None) -> None:
        """What the model answered; a snapshot is taken now. The last one counts."""
        self._finish_reason = read_id("finish_reason", finish_reason)
        self._response_id = read_id("response_id", response_id)
        if self._call is not None and self.span.is_recording():
            reasons = (self._finish_reason,) if self._finish_reason else ()
            self._call.payload.deferred(
                semconv.GEN_AI_OUTPUT_MESSAGES, finished(Deferred(output, read_output), reasons)
            )
        self._tool_calls = read_tool_call_ids(output)

    @setter("setting a model call's usage")
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

    @setter("setting a model call's error")
    def set_error(self, error: object) -> None:
        """Mark the call as failed: an exception, words, or ``{"message": ..., "type": ...}``."""
        self._error = error

    @_guard.guarded("ending a model call", _guard.nothing)
    def end(self, error: BaseException | None = None, end_time: int | None = None) -> None:
        """End the call; a second time does nothing. ``end_time``: nanoseconds since the epoch."""
        if self._ended:
            return
        self._ended = True
        call = self._call
        if call is None:
            return
        response = LlmResponse(
            id=self._response_id,
            usage=self._usage,
            finish_reasons=(self._finish_reason,) if self._finish_reason else (),
            tool_call_ids=self._tool_calls,
        )
        failure = self._error if error is None else error
        if failure is None:
            call.succeed(response, attributes=self._attributes, end_time=end_time)
        else:
            call.fail(failure, response, attributes=self._attributes, end_time=end_time)
