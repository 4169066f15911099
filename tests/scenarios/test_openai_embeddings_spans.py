"""Embeddings and older completions of OpenAI's client, and the whole of each span."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, AzureOpenAI, OpenAI

from fake_provider import Answer, FakeProvider
from fake_provider.openai import DIMENSIONS
from scenario import Recording

EMBEDDING: dict[str, Any] = {"model": "text-embedding-3-small", "input": ["Where is my parcel?", "In Rotterdam."]}
COMPLETION: dict[str, Any] = {
    "model": "gpt-3.5-turbo-instruct",
    "prompt": ["Once upon a time"],
    "max_tokens": 6,
    "temperature": 0.7,
    "top_p": 0.8,
    "stop": ".",
    "seed": 7,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.2,
}


@pytest.fixture
def client(server: FakeProvider) -> Any:
    with OpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(server: FakeProvider) -> Any:
    async with AsyncOpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        yield client


def test_embeddings_in_the_clients_own_format(recording: Recording, client: OpenAI) -> None:
    with recording("openai_embeddings"):
        assert len(client.embeddings.create(**EMBEDDING).data[0].embedding) == DIMENSIONS


async def test_embeddings_of_the_async_client(recording: Recording, async_client: AsyncOpenAI) -> None:
    with recording("openai_embeddings"):
        assert len((await async_client.embeddings.create(**EMBEDDING)).data[1].embedding) == DIMENSIONS


def test_embeddings_whose_body_the_program_reads_itself(recording: Recording, client: OpenAI) -> None:
    embeddings = client.embeddings.with_streaming_response
    with recording("openai_embeddings"), embeddings.create(**EMBEDDING) as response:
        assert response.read().startswith(b"{")


def test_embeddings_of_a_length_and_in_a_format(recording: Recording, client: OpenAI) -> None:
    with recording("openai_embeddings_as_asked"):
        found = client.embeddings.create(**EMBEDDING, dimensions=4, encoding_format="float")
        assert found.data[0].embedding == [0.0, 0.125, 0.25, 0.375]


def test_embeddings_that_are_refused(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(Answer.error(401, "Who are you?", code="invalid_api_key"))
    with recording("openai_embeddings_error"):
        with pytest.raises(openai.AuthenticationError) as raised:
            client.embeddings.create(**EMBEDDING)
        recording.words[str(raised.value)] = "(the client's words)"


def test_embeddings_of_azure(recording: Recording, server: FakeProvider) -> None:
    with (
        AzureOpenAI(api_key="k", api_version="2024-10-21", azure_endpoint=server.url) as client,
        recording("openai_embeddings_azure"),
    ):
        client.embeddings.create(**EMBEDDING)


def test_a_completion(recording: Recording, client: OpenAI) -> None:
    with recording("openai_completion"):
        assert client.completions.create(**COMPLETION).choices[0].finish_reason == "length"


async def test_a_completion_of_the_async_client(recording: Recording, async_client: AsyncOpenAI) -> None:
    with recording("openai_completion"):
        await async_client.completions.create(**COMPLETION)


def test_a_streamed_completion(recording: Recording, client: OpenAI) -> None:
    with recording("openai_completion_stream"):
        stream = client.completions.create(**COMPLETION, stream=True, stream_options={"include_usage": True})
        assert "".join(chunk.choices[0].text for chunk in stream if chunk.choices) == " in a land of dikes"
