"""Streams of Anthropic's client: by the call itself, by the helper around it, and by the helper's readers."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic import Anthropic, APIStatusError, AsyncAnthropic

from fake_provider import FakeProvider, anthropic
from scenario import Recording

ASK: dict[str, Any] = {
    "model": "claude-opus-4-5",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Where is parcel PT-77?"}],
}
WORDS = "Your parcel left Lisbon this morning and arrives tomorrow."


@pytest.fixture
def client(server: FakeProvider) -> Any:
    with Anthropic(api_key="sk-test", base_url=server.url) as client:
        yield client


def test_events_as_they_come(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(anthropic.message_stream("message_thinking"))
    with recording("anthropic_stream"):
        kinds = [event.type for event in client.messages.create(**ASK, stream=True)]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")


def test_the_text_alone(client: Any, recording: Recording) -> None:
    with recording("anthropic_stream_text"), client.messages.stream(**ASK) as stream:
        assert "".join(stream.text_stream) == WORDS


def test_the_final_message_with_tools(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(anthropic.message_stream("message_tools"))
    with recording("anthropic_stream_tools"), client.messages.stream(**ASK) as stream:
        message = stream.get_final_message()
    assert message.content[1].input == {"number": "PT-77", "detailed": True}


def test_a_stream_that_is_left_in_the_middle(client: Any, recording: Recording) -> None:
    with recording("anthropic_stream_left"), client.messages.stream(**ASK) as stream:
        for text in stream.text_stream:
            assert WORDS.startswith(text)
            break


def test_an_error_in_the_stream(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(anthropic.error_in_stream("overloaded_error", after=5, message="Overloaded"))
    with (
        recording("anthropic_stream_error"),
        client.messages.stream(**ASK) as stream,
        pytest.raises(APIStatusError),
    ):
        stream.until_done()


def test_a_stream_of_server_tools_and_a_compaction(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(anthropic.message_stream("message_server_tools"))
    with recording("anthropic_stream_server_tools"):
        events = client.beta.messages.create(**ASK, stream=True)
        assert sum(event.type == "content_block_start" for event in events) == 6


async def test_an_async_stream_until_done(server: FakeProvider, recording: Recording) -> None:
    async with AsyncAnthropic(api_key="sk-test", base_url=server.url) as client:
        with recording("anthropic_stream_async"):
            async with client.messages.stream(**ASK) as stream:
                await stream.until_done()
                message = await stream.get_final_message()
    assert message.stop_reason == "end_turn"


def test_a_raw_response_of_a_stream(client: Any, recording: Recording) -> None:
    with recording("anthropic_stream_raw"):
        raw = client.messages.with_raw_response.create(**ASK, stream=True)
        events = list(raw.parse())
    assert events[-1].type == "message_stop"


def test_the_lines_of_a_stream(client: Any, recording: Recording) -> None:
    streaming = client.messages.with_streaming_response
    with recording("anthropic_stream_lines"), streaming.create(**ASK, stream=True) as response:
        lines = list(response.iter_lines())
    assert "event: message_stop" in lines
