"""Calls of Anthropic's client: all that they say of what was asked, what was answered, and what went wrong."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic, RateLimitError

from fake_provider import Answer, FakeProvider, anthropic
from scenario import Recording

MODEL = "claude-opus-4-5"
ASK: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Where is parcel PT-77?"}],
}
SCHEMA = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}
TRACK: Any = {"name": "track_parcel", "description": "Where a parcel is.", "input_schema": SCHEMA}
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8)).decode()


@pytest.fixture
def client(server: FakeProvider) -> Any:
    with Anthropic(api_key="sk-test", base_url=server.url) as client:
        yield client


def test_a_plain_call_with_every_option(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(Answer.reply("message_thinking"))
    with recording("anthropic_plain"):
        answer = client.messages.create(
            **ASK,
            system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            stop_sequences=["END"],
            metadata={"user_id": "u-77"},
            tools=[TRACK],
            tool_choice={"type": "auto"},
            extra_body={
                "temperature": 0.5,
                "top_p": 0.9,
                "top_k": 40,
                "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
            },
        )
    assert answer.usage.cache_read_input_tokens == 3500
    assert server.requests[0].body["top_k"] == 40


def test_content_of_every_kind(client: Any, server: FakeProvider, recording: Recording) -> None:
    messages = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Is this my parcel?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                {"type": "image", "source": {"type": "url", "url": "https://shop.example/parcel.png"}},
                {
                    "type": "document",
                    "title": "Terms",
                    "source": {"type": "text", "data": "Pay.", "media_type": "text/plain"},
                },
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_0", "name": "look", "input": {"at": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_0", "content": "a box"}]},
    ]
    server.queue(Answer.reply("message_tools"))
    with recording("anthropic_content"):
        client.messages.create(**{**ASK, "messages": messages}, tools=[TRACK])


def test_tools_of_the_servers_and_a_compaction(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(Answer.reply("message_server_tools"))
    with recording("anthropic_server_tools"):
        client.beta.messages.create(
            **ASK,
            betas=["mcp-client-2025-04-04"],
            tools=[{"type": "web_search_20250305", "name": "web_search"}],
            extra_body={"mcp_servers": [{"type": "url", "name": "depot", "url": "https://depot.example/mcp"}]},
        )
    assert server.requests[0].headers["anthropic-beta"] == "mcp-client-2025-04-04"


def test_a_refusal(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(Answer.reply("message_refusal"))
    with recording("anthropic_refusal"):
        assert client.messages.create(**ASK).content == []


async def test_an_async_call(server: FakeProvider, recording: Recording) -> None:
    async with AsyncAnthropic(api_key="sk-test", base_url=server.url) as client:
        with recording("anthropic_async"):
            answer = await client.messages.create(**ASK)
    assert answer.content[0].text.startswith("Your parcel")


def test_a_raw_response_that_is_parsed(client: Any, recording: Recording) -> None:
    with recording("anthropic_raw"):
        raw = client.messages.with_raw_response.create(**ASK)
        assert raw.parse().id == "msg_01Text"


def test_a_raw_response_that_is_streamed(client: Any, recording: Recording) -> None:
    with recording("anthropic_streaming_response"):
        with client.messages.with_streaming_response.create(**ASK) as response:
            body = b"".join(response.iter_bytes())
        assert b"msg_01Text" in body


def test_a_refused_call(client: Any, server: FakeProvider, recording: Recording) -> None:
    once = client.with_options(max_retries=0)
    server.queue(anthropic.error(429, "rate_limit_error", "slow down"))
    with recording("anthropic_error"), pytest.raises(RateLimitError):
        once.messages.create(**ASK)


def test_a_call_that_is_made_again_when_the_server_is_overloaded(
    client: Any, server: FakeProvider, recording: Recording
) -> None:
    overloaded = anthropic.error(529, "overloaded_error", "Overloaded", retry_after_ms="1")
    server.queue(overloaded, overloaded)
    with recording("anthropic_overloaded"):
        assert client.messages.create(**ASK).id == "msg_01Text"
    assert len(server.requests) == 3
