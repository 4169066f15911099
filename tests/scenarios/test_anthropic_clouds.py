"""Anthropic's clients for other clouds: the road is another one, what is asked and answered is the same."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic import AnthropicBedrock, AnthropicVertex, AsyncAnthropicBedrock, AsyncAnthropicVertex

from fake_provider import FakeProvider, anthropic
from scenario import Recording

BEDROCK_MODEL = "anthropic.claude-opus-4-5-20251101-v1:0"
VERTEX_MODEL = "claude-opus-4-5@20251101"
WORDS = "Your parcel left Lisbon this morning and arrives tomorrow."


def ask(model: str) -> dict[str, Any]:
    return {"model": model, "max_tokens": 200, "messages": [{"role": "user", "content": "Where is parcel PT-77?"}]}


@pytest.fixture
def bedrock(server: FakeProvider) -> dict[str, Any]:
    return {
        "aws_region": "eu-west-1",
        "aws_access_key": "test",
        "aws_secret_key": "test",
        "base_url": server.url,
    }


@pytest.fixture
def vertex(server: FakeProvider) -> dict[str, Any]:
    return {"region": "europe-west4", "project_id": "p", "access_token": "test", "base_url": server.url}


def test_a_call_through_bedrock(bedrock: Any, server: FakeProvider, recording: Recording) -> None:
    guardrail = {"X-Amzn-Bedrock-GuardrailIdentifier": "gr-1", "X-Amzn-Bedrock-GuardrailVersion": "2"}
    with recording("anthropic_bedrock"), AnthropicBedrock(**bedrock) as client:
        answer: Any = client.messages.create(**ask(BEDROCK_MODEL), extra_headers=guardrail)
    assert answer.content[0].text == WORDS
    assert server.requests[0].path.endswith("/invoke")
    assert "model" not in server.requests[0].body


def test_a_stream_through_bedrock(bedrock: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(anthropic.bedrock_stream("message_tools"))
    with recording("anthropic_bedrock_stream"), AnthropicBedrock(**bedrock) as client:
        events: Any = client.messages.create(**ask(BEDROCK_MODEL), stream=True)
        kinds = [event.type for event in events]
    assert kinds[-1] == "message_stop"
    assert server.requests[0].path.endswith("/invoke-with-response-stream")


async def test_an_async_stream_through_bedrock(bedrock: Any, recording: Recording) -> None:
    async with AsyncAnthropicBedrock(**bedrock) as client:
        with recording("anthropic_bedrock_async"):
            events: Any = await client.messages.create(**ask(BEDROCK_MODEL), stream=True)
            assert [event.type async for event in events][-1] == "message_stop"


def test_a_call_through_vertex(vertex: Any, server: FakeProvider, recording: Recording) -> None:
    with recording("anthropic_vertex"), AnthropicVertex(**vertex) as client:
        answer: Any = client.messages.create(**ask(VERTEX_MODEL))
    assert answer.content[0].text == WORDS
    assert server.requests[0].path.endswith(":rawPredict")


async def test_an_async_stream_through_vertex(vertex: Any, server: FakeProvider, recording: Recording) -> None:
    async with AsyncAnthropicVertex(**vertex) as client:
        with recording("anthropic_vertex_stream"):
            async with client.messages.stream(**ask(VERTEX_MODEL)) as stream:
                assert "".join([text async for text in stream.text_stream]) == WORDS
    assert server.requests[0].path.endswith(":streamRawPredict")
