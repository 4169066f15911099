"""What Anthropic's newest clients can do beyond the oldest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic, AnthropicFoundry, AsyncAnthropic, OverloadedError
from pydantic import BaseModel

from fake_provider import Answer, FakeProvider, anthropic
from scenario import Recording

ASK: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Where is parcel PT-77?"}],
}


class Arrival(BaseModel):
    city: str
    days: int


@pytest.fixture
def client(server: FakeProvider) -> Any:
    with Anthropic(api_key="sk-test", base_url=server.url) as client:
        yield client


def test_an_answer_that_is_parsed(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(Answer.reply("message_json"))
    with recording("anthropic_parse"):
        parsed = client.messages.parse(**ASK, output_format=Arrival)
    assert parsed.parsed_output == Arrival(city="Lisbon", days=1)


def test_effort_and_thinking(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(anthropic.message_stream("message_thinking"))
    with recording("anthropic_effort"):
        options: Any = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}
        with client.messages.stream(**ASK, **options) as stream:
            assert stream.get_final_text() == "It arrives tomorrow."


async def test_an_async_answer_that_is_parsed(server: FakeProvider, recording: Recording) -> None:
    server.queue(Answer.reply("message_json"))
    async with AsyncAnthropic(api_key="sk-test", base_url=server.url) as client:
        with recording("anthropic_parse_async"):
            parsed = await client.beta.messages.parse(**ASK, output_format=Arrival)
    assert parsed.parsed_output == Arrival(city="Lisbon", days=1)


def test_a_conversation_that_the_server_holds(client: Any, recording: Recording) -> None:
    thread = {"type": "continue", "previous_message_id": "msg_00Before"}
    conversation = client.with_options(open_telemetry={"conversation_id": "conv_1"})
    with recording("anthropic_thread"):
        conversation.beta.messages.create(**ASK, thread=thread)


def test_iterators_reach_the_server_whole_and_are_told(client: Any, server: FakeProvider, recording: Recording) -> None:
    def blocks() -> Iterator[dict[str, str]]:
        yield {"type": "text", "text": "Where is"}
        yield {"type": "text", "text": "my parcel?"}

    def messages() -> Iterator[dict[str, Any]]:
        yield {"role": "user", "content": blocks()}

    with recording("anthropic_iterators"):
        client.messages.create(**{**ASK, "messages": messages()}, system=iter([{"type": "text", "text": "Be brief."}]))
    asked = [{"type": "text", "text": "Where is"}, {"type": "text", "text": "my parcel?"}]
    assert server.requests[0].body["messages"] == [{"role": "user", "content": asked}]
    assert server.requests[0].body["system"] == [{"type": "text", "text": "Be brief."}]


def test_answers_that_are_handed_back_as_they_came(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(Answer.reply("message_tools"))
    with recording("anthropic_handed_back"):
        asked = client.messages.create(**ASK)
        answered = {"type": "tool_result", "tool_use_id": asked.content[1].id, "content": "in Lisbon"}
        client.messages.create(
            **{
                **ASK,
                "messages": [
                    *ASK["messages"],
                    {"role": "assistant", "content": asked.content},
                    {"role": "user", "content": [answered]},
                ],
            }
        )


def test_a_call_through_foundry(server: FakeProvider, recording: Recording) -> None:
    with recording("anthropic_foundry"), AnthropicFoundry(api_key="k", base_url=f"{server.url}/anthropic/") as client:
        assert client.messages.create(**ASK).id == "msg_01Text"
    assert server.requests[0].path == "/anthropic/v1/messages"


def test_a_call_that_is_overloaded_for_good(client: Any, server: FakeProvider, recording: Recording) -> None:
    once = client.with_options(max_retries=0)
    server.queue(anthropic.error(529, "overloaded_error", "Overloaded"))
    with recording("anthropic_overloaded_for_good"), pytest.raises(OverloadedError):
        once.messages.create(**ASK)
