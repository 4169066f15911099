"""What embeddings mean, from the bodies that Google's client makes and from the answers of both APIs."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from fake_provider import read_reply
from sentrial._providers.google import embeddings as google_embeddings
from sentrial._providers.google import recognise
from sentrial._providers.google.embeddings import read_response
from sentrial.types import LlmRequest, LlmResponse, Usage

CLIENT = SimpleNamespace(vertexai=True, _http_options={"base_url": "https://us-central1-aiplatform.googleapis.com"})
PREDICT = {"instances": [{"content": "a"}], "parameters": {"outputDimensionality": 3}}


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("embedContent", {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 3}),
        ("embedContent", {"content": {}, "embedContentConfig": {"outputDimensionality": 3}}),
        ("batchEmbedContents", {"requests": [{"content": {}, "outputDimensionality": 3}]}),
        ("predict", PREDICT),
    ],
)
def test_each_way_to_ask_is_known(verb: str, body: dict[str, Any]) -> None:
    outgoing = recognise(CLIENT, ("post", f"publishers/google/models/text-embedding-005:{verb}", body, None), {})
    assert outgoing is not None
    assert outgoing.operation is google_embeddings.OPERATION
    assert google_embeddings.read_request(outgoing) == LlmRequest(
        operation="embeddings",
        provider="gcp.vertex_ai",
        model="text-embedding-005",
        server_address="us-central1-aiplatform.googleapis.com",
        server_port=443,
        dimension_count=3,
    )


@pytest.mark.parametrize("body", [{}, {"instances": []}, {"instances": [{"prompt": "a cat"}]}, {"instances": "a"}])
def test_other_predictions_are_none_of_ours(body: dict[str, Any]) -> None:
    assert recognise(CLIENT, ("post", "publishers/google/models/imagen-4:predict", body, None), {}) is None


STATISTICS = {"embeddings": [{"values": [1], "statistics": {"tokenCount": 2}}, {"statistics": {"tokenCount": 3}}]}


@pytest.mark.parametrize("as_text", [True, False], ids=["text", "dict"])
@pytest.mark.parametrize(
    ("answer", "dimensions", "tokens"),
    [
        (read_reply("gemini_embeddings"), 4, 6),
        (read_reply("vertex_embeddings"), 3, 9),
        ({"embedding": {"values": [0.5, 1]}, "usageMetadata": {"promptTokenCount": 5}}, 2, 5),
        (STATISTICS, 1, 5),
        ({"embeddings": [{"values": [0.5, 1]}]}, 2, None),
        ({"embeddings": [{"values": []}]}, None, None),
        ({"embeddings": []}, None, None),
        ({}, None, None),
    ],
)
def test_dimensions_and_tokens_are_told(
    answer: dict[str, Any], dimensions: int | None, tokens: int | None, as_text: bool
) -> None:
    found = read_response(SimpleNamespace(body=json.dumps(answer)) if as_text else answer)
    usage = Usage(input_tokens=tokens) if tokens is not None else None
    assert found == LlmResponse(usage=usage, dimension_count=dimensions)


@pytest.mark.parametrize("odd", ["", "no JSON", None])
def test_an_odd_answer_says_nothing(odd: Any) -> None:
    assert read_response(SimpleNamespace(body=odd)) == LlmResponse()
