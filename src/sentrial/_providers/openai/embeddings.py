"""OpenAI's embeddings."""

from __future__ import annotations

from typing import Any

from sentrial._patch.spec import Operation, Outgoing
from sentrial._providers.openai.endpoint import read_call_endpoint
from sentrial._providers.openai.usage import read_usage
from sentrial._providers.values import NOTHING, fields_of, integer, string, strings
from sentrial.types import LlmRequest, LlmResponse

_BASE64_OF_FLOATS = 3 / 4 / 4  # four characters are three bytes, four bytes are one number


def read_request(outgoing: Outgoing) -> LlmRequest:
    """What is about to be asked. ``encoding_formats``: the client itself asks for one where the program does not."""
    get = outgoing.body.get
    endpoint = read_call_endpoint(outgoing)
    return LlmRequest(
        operation="embeddings",
        provider=endpoint.provider,
        model=string(get("model")),
        server_address=endpoint.address,
        server_port=endpoint.port,
        encoding_formats=strings(get("encoding_format")),
        dimension_count=integer(get("dimensions")),
    )


def read_response(response: Any) -> LlmResponse:
    """How long the vectors are, and what they cost."""
    fields = fields_of(response)
    data = fields.get("data") or [NOTHING]
    return LlmResponse(
        model=string(fields.get("model")),
        usage=read_usage(fields.get("usage")),
        dimension_count=_read_length(fields_of(data[0]).get("embedding")),
    )


def _read_length(vector: Any) -> int | None:
    if isinstance(vector, str):
        return int(len(vector.rstrip("=")) * _BASE64_OF_FLOATS) or None
    return len(vector) if isinstance(vector, list) and vector else None


class _WholeAnswer:
    """Embeddings are not streamed: whatever comes is the answer."""

    __slots__ = ("_answer", "complete")

    def __init__(self) -> None:
        self.complete = False
        self._answer: Any = NOTHING

    def add(self, chunk: Any) -> None:
        self._answer = chunk
        self.complete = True

    def result(self) -> Any:
        return self._answer


OPERATION = Operation(
    name="embeddings", read_request=read_request, read_response=read_response, make_accumulator=_WholeAnswer
)
