"""The tool runner: a span for each turn of the model, one for each run of a tool, and none of the client's own."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic, beta_async_tool, beta_tool

from fake_provider import Answer, FakeProvider, anthropic
from scenario import Recording

ASK: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Where is parcel PT-77?"}],
}
DONE = "Your parcel left Lisbon this morning and arrives tomorrow."


@beta_tool
def track_parcel(number: str, detailed: bool = False) -> str:
    """Where a parcel is.

    Args:
        number: Its number.
        detailed: Whether to tell every stop.
    """
    return f"{number} is in Lisbon" + (", since six" if detailed else "")


@beta_async_tool
async def track_parcel_async(number: str, detailed: bool = False) -> str:
    """Where a parcel is."""
    return f"{number} is in Lisbon" + (", since six" if detailed else "")


track_parcel_async.name = "track_parcel"


@beta_tool(name="track_parcel")
def lose_parcel(number: str, detailed: bool = False) -> str:
    """Where a parcel is not."""
    raise LookupError(f"no parcel {number}, {detailed}")


@pytest.fixture
def client(server: FakeProvider) -> Any:
    with Anthropic(api_key="sk-test", base_url=server.url) as client:
        yield client


def tree_of(recording: Recording) -> list[tuple[str, str]]:
    """Each span below the root with the name of its parent, in the order in which they began."""
    names = {span["span_id"]: span["name"] for span in recording.spans}
    spans = sorted(recording.spans, key=lambda span: span["start_ns"])
    return [(names[span["parent_span_id"]], span["name"]) for span in spans if span["parent_span_id"] in names]


TREE = [
    ("invoke_agent support-agent", "chat claude-opus-4-8"),
    ("invoke_agent support-agent", "execute_tool track_parcel"),
    ("invoke_agent support-agent", "chat claude-opus-4-8"),
]


def test_turns_and_tools(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(Answer.reply("message_tools"))
    with recording("anthropic_tool_runner"):
        message = client.beta.messages.tool_runner(**ASK, tools=[track_parcel]).until_done()
    assert message.content[0].text == DONE
    assert tree_of(recording) == TREE


def test_a_tool_that_fails(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(Answer.reply("message_tools"))
    with recording("anthropic_tool_runner_error", conversation="conv_7"):
        message = client.beta.messages.tool_runner(**ASK, tools=[lose_parcel]).until_done()
    assert message.content[0].text == DONE
    assert tree_of(recording) == TREE


def test_turns_that_are_streamed(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(anthropic.message_stream("message_tools"))
    with recording("anthropic_tool_runner_stream"):
        texts = []
        for stream in client.beta.messages.tool_runner(**ASK, tools=[track_parcel], stream=True):
            texts.append(stream.get_final_message().content[0].text)
    assert texts == ["I look it up.", DONE]
    assert tree_of(recording) == TREE


def test_tools_that_run_while_the_turn_is_streamed(client: Any, server: FakeProvider, recording: Recording) -> None:
    server.queue(anthropic.message_stream("message_tools"))
    with recording("anthropic_tool_runner_stream"):
        runner = client.beta.messages.tool_runner(**ASK, tools=[track_parcel], stream=True, run_tools_eagerly=True)
        texts = [stream.get_final_message().content[0].text for stream in runner]
    assert texts == ["I look it up.", DONE]
    assert tree_of(recording) == TREE


async def test_async_turns_and_tools(server: FakeProvider, recording: Recording) -> None:
    server.queue(Answer.reply("message_tools"))
    async with AsyncAnthropic(api_key="sk-test", base_url=server.url) as client:
        with recording("anthropic_tool_runner_async"):
            runner = client.beta.messages.tool_runner(**ASK, tools=[track_parcel_async])
            message = await runner.until_done()
    assert message.content[0].text == DONE
    assert tree_of(recording) == TREE


async def test_async_turns_that_are_streamed(server: FakeProvider, recording: Recording) -> None:
    server.queue(anthropic.message_stream("message_tools"))
    async with AsyncAnthropic(api_key="sk-test", base_url=server.url) as client:
        with recording("anthropic_tool_runner_stream_async"):
            async for stream in client.beta.messages.tool_runner(**ASK, tools=[track_parcel_async], stream=True):
                await stream.until_done()
    assert tree_of(recording) == TREE


async def test_async_tools_that_run_while_the_turn_is_streamed(server: FakeProvider, recording: Recording) -> None:
    server.queue(anthropic.message_stream("message_tools"))
    async with AsyncAnthropic(api_key="sk-test", base_url=server.url) as client:
        with recording("anthropic_tool_runner_stream_async"):
            runner = client.beta.messages.tool_runner(
                **ASK, tools=[track_parcel_async], stream=True, run_tools_eagerly=True
            )
            async for stream in runner:
                await stream.until_done()
    assert tree_of(recording) == TREE
