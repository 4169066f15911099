"""What programs do with Anthropic's client, each written once. ``PROGRAMS``: by name, with the tokens of each call."""

from __future__ import annotations

from typing import Any

from compare.program import Call, Program
from compare.seen import Seen
from fake_provider import Answer, FakeProvider, anthropic

MESSAGES: Any = [{"role": "user", "content": "Where is parcel PT-77?"}]
ASK: dict[str, Any] = {"model": "claude-opus-4-5", "max_tokens": 200, "messages": MESSAGES}
TEXT = Call(21, 13)


def client_of(server: FakeProvider) -> Any:
    from anthropic import Anthropic

    return Anthropic(api_key="none", base_url=server.url, max_retries=0)


def usage_of(answer: Any) -> Any:
    return answer.usage.model_dump(mode="json", include={"input_tokens", "output_tokens"})


def plain(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from anthropic.types import Message

    answer = seen.kind("answer", wrap(client_of(server)).messages.create(**ASK), Message)
    seen.value("text", answer.content[0].text)
    seen.value("usage", usage_of(answer))


def stream(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from anthropic import Stream

    answer = seen.kind("stream", wrap(client_of(server)).messages.create(**ASK, stream=True), Stream)
    seen.value("events", [event.type for event in answer])
    seen.value("status", answer.response.status_code)


def stream_broken_off(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from anthropic import Stream

    with wrap(client_of(server)).messages.create(**ASK, stream=True) as answer:
        seen.kind("stream", answer, Stream)
        for number, event in enumerate(answer):
            if number == 2:
                seen.value("third event", event.type)
                break


def stream_helper(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from anthropic import MessageStream

    with wrap(client_of(server)).messages.stream(**ASK) as answer:
        seen.kind("stream", answer, MessageStream)
        seen.value("text", "".join(answer.text_stream))
        seen.value("usage", usage_of(answer.get_final_message()))


def tools(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from anthropic import beta_tool

    @beta_tool
    def track_parcel(number: str, detailed: bool) -> str:
        """Where a parcel is.

        Args:
            number: the parcel's.
            detailed: whether to tell everything.
        """
        return f"{number} is at the depot"

    server.queue(Answer.reply("message_tools"), Answer.reply("message_text"))
    runner = wrap(client_of(server)).beta.messages.tool_runner(**ASK, tools=[track_parcel])
    seen.value("answers", [message.stop_reason for message in runner])


def raw_response(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from anthropic.types import Message

    raw = wrap(client_of(server)).messages.with_raw_response.create(**ASK)
    seen.value("request id", raw.headers["x-request-id"])
    seen.value("usage", usage_of(seen.kind("answer", raw.parse(), Message)))


def parse(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from pydantic import BaseModel

    class Place(BaseModel):
        city: str
        days: int

    server.queue(Answer.reply("message_json"))
    answer = wrap(client_of(server)).messages.parse(**ASK, output_format=Place)
    seen.kind("parsed", answer.parsed_output, Place)
    seen.value("city", answer.parsed_output.city)


def error(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from anthropic import RateLimitError

    server.queue(anthropic.error(429, "rate_limit_error", "slow down"))
    try:
        wrap(client_of(server)).messages.create(**ASK)
    except RateLimitError as raised:
        seen.value("status", raised.status_code)


async def plain_async(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from anthropic import AsyncAnthropic
    from anthropic.types import Message

    async with AsyncAnthropic(api_key="none", base_url=server.url, max_retries=0) as client:
        answer = seen.kind("answer", await wrap(client).messages.create(**ASK), Message)
        seen.value("usage", usage_of(answer))


async def stream_async(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from anthropic import AsyncAnthropic, AsyncMessageStream

    async with (
        AsyncAnthropic(api_key="none", base_url=server.url, max_retries=0) as client,
        wrap(client).messages.stream(**ASK) as answer,
    ):
        seen.kind("stream", answer, AsyncMessageStream)
        seen.value("text", "".join([text async for text in answer.text_stream]))
        seen.value("usage", usage_of(await answer.get_final_message()))


def foundry(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from anthropic import AnthropicFoundry
    from anthropic.types import Message

    client = AnthropicFoundry(api_key="none", base_url=f"{server.url}/anthropic", max_retries=0)
    answer = seen.kind("answer", wrap(client).messages.create(**ASK), Message)
    seen.value("usage", usage_of(answer))


PROGRAMS = {
    "plain": Program(plain, TEXT),
    "stream": Program(stream, TEXT),
    # The first event tells the input; how much will have been written nobody knows.
    "stream broken off": Program(stream_broken_off, Call(21, None)),
    "stream helper": Program(stream_helper, TEXT),
    "tools": Program(tools, Call(380, 54), TEXT),
    "raw response": Program(raw_response, TEXT),
    "parse": Program(parse, Call(60, 14)),
    "error": Program(error, Call(None, None, failed=True)),
    "async": Program(plain_async, TEXT),
    "async stream": Program(stream_async, TEXT),
    "Azure, Vertex": Program(foundry, TEXT),
}
