"""Google's embeddings: embedContent and batchEmbedContents of the Gemini API, predict of Vertex AI."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sentrial._patch.spec import Operation, Outgoing
from sentrial._providers.google.content import ContentAccumulator, body_of
from sentrial._providers.google.endpoint import read_call_endpoint
from sentrial._providers.values import count, integer, listed, mapping, total
from sentrial.types import LlmRequest, LlmResponse, Usage

_TOKENS = re.compile(r'"(?:token_count|tokenCount)"\s*:\s*(\d+)')
_SETTINGS = ("parameters", "embedContentConfig")


def is_asked_for(body: Mapping[str, Any]) -> bool:
    """Whether a ``predict`` of Vertex AI asks for embeddings: models that make pictures are asked the same way."""
    first = next(iter(listed(body.get("instances")) or ()), None)
    return type(first) is dict and "content" in first


def read_request(outgoing: Outgoing) -> LlmRequest:
    """What is about to be asked."""
    endpoint = read_call_endpoint(outgoing)
    return LlmRequest(
        operation="embeddings",
        provider=endpoint.provider,
        model=endpoint.model,
        server_address=endpoint.address,
        server_port=endpoint.port,
        dimension_count=_read_dimensions(outgoing.body),
    )


def _read_dimensions(body: Mapping[str, Any]) -> int | None:
    places = [
        body,
        *(mapping(body.get(key)) for key in _SETTINGS),
        *map(mapping, (listed(body.get("requests")) or ())[:1]),
    ]
    return next((size for place in places if (size := integer(place.get("outputDimensionality")))), None)


def read_response(answer: Any) -> LlmResponse:
    """The answer; only its first vector is looked at, to count its numbers: there may be thousands, of as many each."""
    body = body_of(answer)
    if isinstance(body, str):
        dimensions, tokens = _read_text(body)
    else:
        dimensions, tokens = _read_dict(mapping(body))
    return LlmResponse(
        usage=Usage(input_tokens=tokens) if tokens is not None else None, dimension_count=dimensions or None
    )


def _read_text(text: str) -> tuple[int, int | None]:
    # No text of the program's is in there, so that a key is found where it says what it says.
    start = text.find("[", text.find('"values"'))
    vector = text[start + 1 : text.find("]", start)] if '"values"' in text else ""
    usage = text.rfind('"usageMetadata"')
    if usage >= 0:
        tokens = _read_usage(json.JSONDecoder().raw_decode(text, text.index("{", usage))[0])
    else:
        counts = _TOKENS.findall(text)
        tokens = total(map(int, counts))
    return vector.count(",") + 1 if vector.strip() else 0, tokens


def _read_dict(body: Mapping[str, Any]) -> tuple[int, int | None]:
    embeddings = list(_embeddings_of(body))
    values = listed(embeddings[0].get("values")) if embeddings else None
    tokens = _read_usage(body.get("usageMetadata"))
    if tokens is None:
        statistics = [mapping(embedding.get("statistics")) for embedding in embeddings]
        tokens = total(count(each.get("token_count", each.get("tokenCount"))) for each in statistics)
    return len(values or ()), tokens


def _embeddings_of(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if type(body.get("embedding")) is dict:
        yield body["embedding"]
    yield from map(mapping, listed(body.get("embeddings")) or ())
    for prediction in listed(body.get("predictions")) or ():
        yield mapping(mapping(prediction).get("embeddings"))


def _read_usage(usage: Any) -> int | None:
    return count(mapping(usage).get("promptTokenCount"))


OPERATION = Operation(
    name="embeddings",
    read_request=read_request,
    read_response=read_response,
    make_accumulator=ContentAccumulator,
)
