"""Anthropic's text completions, which its older clients have."""

from __future__ import annotations

from typing import Any

from sentrial._patch.spec import Operation, Outgoing
from sentrial._providers.anthropic.blocks import read_messages
from sentrial._providers.anthropic.messages import begin_request, read_finish_reason
from sentrial._providers.values import fields_of, integer, joined, string
from sentrial.types import Deferred, LlmRequest, LlmResponse


def read_request(outgoing: Outgoing) -> LlmRequest:
    """What is about to be asked."""
    get = outgoing.body.get
    prompt = string(get("prompt"))
    return begin_request(outgoing)._replace(
        max_tokens=integer(get("max_tokens_to_sample")),
        input=Deferred([{"role": "user", "content": prompt}], read_messages) if prompt else None,
    )


def read_response(response: Any) -> LlmResponse:
    """The answer: the client's object, its JSON, or what the accumulator made of a stream. It tells of no tokens."""
    fields = fields_of(response)
    message = {"role": "assistant", "content": fields.get("completion")}
    return LlmResponse(
        id=string(fields.get("id")),
        model=string(fields.get("model")),
        finish_reasons=[read_finish_reason(fields.get("stop_reason"))],
        output=Deferred([message], read_messages),
    )


class CompletionAccumulator:
    """Gathers the chunks of a streamed completion, each piece by reference."""

    __slots__ = ("_pieces", "_said", "complete")

    def __init__(self) -> None:
        self.complete = False
        self._said: dict[str, Any] = {}
        self._pieces: list[str] = []

    def add(self, chunk: Any) -> None:
        """Take one chunk."""
        fields = fields_of(chunk)
        piece = fields.get("completion")
        if piece:
            self._pieces.append(piece)
        if not self._said or fields.get("stop_reason"):
            self._said = {key: fields.get(key) for key in ("id", "model", "stop_reason")}
            self.complete = bool(fields.get("stop_reason"))

    def result(self) -> dict[str, Any]:
        """The completion so far, as the API would have answered it in one piece."""
        return {**self._said, "completion": joined(self._pieces)}


OPERATION = Operation(
    name="text_completion",
    read_request=read_request,
    read_response=read_response,
    make_accumulator=CompletionAccumulator,
)
