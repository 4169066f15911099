"""What OpenAI's embeddings are asked for, and what they say."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
from openai import OpenAI
from openai.types import CreateEmbeddingResponse

from sentrial._patch.spec import Outgoing
from sentrial._providers.openai.embeddings import OPERATION, read_response
from sentrial.types import LlmRequest, LlmResponse, Usage

VECTOR = [0.5] * 6


def reply(embedding: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": 0, "embedding": embedding}]
    return {"object": "list", "data": data, "model": "m-3", "usage": {"prompt_tokens": 4, "total_tokens": 4}}


def test_a_request_says_everything_but_what_is_embedded() -> None:
    with OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1") as client:
        body = {"model": "m", "input": ["secret"], "encoding_format": "float", "dimensions": 256}
        assert OPERATION.read_request(Outgoing(OPERATION, client, body)) == LlmRequest(
            operation="embeddings",
            provider="openai",
            model="m",
            server_address="127.0.0.1",
            server_port=9,
            encoding_formats=["float"],
            dimension_count=256,
        )


@pytest.mark.parametrize("as_object", [True, False])
@pytest.mark.parametrize("length", [1, 6, 7, 8, 256])
def test_the_vectors_tell_how_long_they_are(as_object: bool, length: int) -> None:
    encoded = base64.b64encode(struct.pack(f"<{length}f", *[0.5] * length)).decode()
    for embedding in ([0.5] * length, encoded):
        answer = CreateEmbeddingResponse.construct(**reply(embedding)) if as_object else reply(embedding)
        assert read_response(answer) == LlmResponse(model="m-3", usage=Usage(4), dimension_count=length)


@pytest.mark.parametrize("answer", [None, "text", {}, {"data": []}, {"data": [{"embedding": []}]}])
def test_what_is_no_embedding_says_nothing(answer: Any) -> None:
    assert read_response(answer) == LlmResponse()


def test_an_answer_whose_body_is_read_piece_by_piece_is_the_last_one() -> None:
    whole = OPERATION.make_accumulator()
    assert not whole.complete
    whole.add(reply(VECTOR))
    assert whole.complete
    assert read_response(whole.result()).dimension_count == 6
