"""Chat completions of OpenAI's client, as programs ask for them, and the whole of each span."""

from __future__ import annotations

import base64
import json
from typing import Any

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
from pydantic import BaseModel

import sentrial
from fake_provider import Answer, FakeProvider, read_reply
from fake_provider.chat_stream import event
from scenario import Recording

MODEL = "gpt-4.1-mini"
QUESTION = [{"role": "user", "content": "Where is my parcel?"}]
ASKED: dict[str, Any] = {
    "model": MODEL,
    "messages": [{"role": "system", "content": "Be brief."}, *QUESTION],
    "max_completion_tokens": 100,
    "temperature": 0.2,
    "top_p": 0.9,
    "seed": 7,
    "stop": ["END"],
    "frequency_penalty": 0.1,
    "presence_penalty": 0.2,
    "response_format": {"type": "text"},
    "service_tier": "default",
    "user": "user_1",
}
FIND_ORDER = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Find an order by its number",
        "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}},
    },
}
SOUND = base64.b64encode(b"RIFF" + bytes(8)).decode()


class Place(BaseModel):
    city: str
    day: str


@pytest.fixture
def client(server: FakeProvider) -> Any:
    with OpenAI(api_key="sk-test", base_url=server.base_url, max_retries=2) as client:
        yield client


@pytest.fixture
async def async_client(server: FakeProvider) -> Any:
    async with AsyncOpenAI(api_key="sk-test", base_url=server.base_url, max_retries=2) as client:
        yield client


def parser_of(client: Any) -> Any:
    """``parse()`` stood under ``beta`` in older clients."""
    completions = client.chat.completions
    return completions.parse if hasattr(completions, "parse") else client.beta.chat.completions.parse


def streamer_of(client: Any) -> Any:
    completions = client.chat.completions
    return completions.stream if hasattr(completions, "stream") else client.beta.chat.completions.stream


# --- in one piece -----------------------------------------------------------------------------------------------------


def test_a_call_with_everything_that_can_be_asked(recording: Recording, client: OpenAI) -> None:
    with recording("openai_chat_plain"):
        client.chat.completions.create(**ASKED)


async def test_the_same_call_of_the_async_client(recording: Recording, async_client: AsyncOpenAI) -> None:
    with recording("openai_chat_plain"):
        await async_client.chat.completions.create(**ASKED)


def test_the_same_call_of_which_the_program_reads_the_raw_response(recording: Recording, client: OpenAI) -> None:
    with recording("openai_chat_plain"):
        raw = client.chat.completions.with_raw_response.create(**ASKED)
        assert raw.parse().choices[0].finish_reason == "stop"


def test_the_same_call_of_which_the_program_reads_the_body_itself(recording: Recording, client: OpenAI) -> None:
    with (
        recording("openai_chat_plain"),
        client.chat.completions.with_streaming_response.create(**ASKED) as response,
    ):
        assert b"Rotterdam" in response.read()


def test_several_choices(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(Answer.reply("chat_choices"))
    with recording("openai_chat_choices"):
        client.chat.completions.create(model=MODEL, messages=QUESTION, n=2)


def test_a_loop_with_a_tool_of_the_programs(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    @sentrial.tool
    def find_order(number: int) -> dict[str, str]:
        """Find an order by its number."""
        return {"place": "Rotterdam"}

    asking = read_reply("chat_tools")
    asking["choices"][0]["message"]["tool_calls"].pop()
    server.queue(Answer(body=asking), Answer.reply())
    messages: list[Any] = [*QUESTION]
    with recording("openai_chat_tools"):
        answer = client.chat.completions.create(model=MODEL, messages=messages, tools=[FIND_ORDER])
        messages.append(answer.choices[0].message)
        for call in answer.choices[0].message.tool_calls or ():
            found = find_order(4711)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": str(found)})
        client.chat.completions.create(model=MODEL, messages=messages, tools=[FIND_ORDER])


def test_a_tool_of_the_programs_that_fails(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    @sentrial.tool(description="Find an order by its number")
    def find_order(number: int) -> str:
        raise LookupError(f"no order {number}")

    asking = read_reply("chat_tools")
    asking["choices"][0]["message"]["tool_calls"].pop()
    server.queue(Answer(body=asking), Answer.reply())
    messages: list[Any] = [*QUESTION]
    with recording("openai_chat_tool_fails", conversation="conv_7"):
        answer = client.chat.completions.create(model=MODEL, messages=messages, tools=[FIND_ORDER])
        messages.append(answer.choices[0].message)
        for call in answer.choices[0].message.tool_calls or ():
            with pytest.raises(LookupError) as raised:
                find_order(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": str(raised.value)})
        client.chat.completions.create(model=MODEL, messages=messages, tools=[FIND_ORDER])


def test_pictures_and_sound(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(Answer.reply("chat_media"))
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://parcels.example/4711.png"}},
        {"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    with recording("openai_chat_media"):
        client.chat.completions.create(
            model="gpt-4o-audio-preview",
            messages=[{"role": "user", "content": content}],
            modalities=["text", "audio"],
            audio={"voice": "alloy", "format": "wav"},
        )


def test_a_service_that_speaks_the_same_api_and_more(
    recording: Recording, client: OpenAI, server: FakeProvider
) -> None:
    reply = read_reply("chat_text")
    del reply["service_tier"], reply["system_fingerprint"]
    reply["model"] = "qwen3-8b"
    reply["choices"][0]["message"]["reasoning_content"] = "It is known."
    reply["usage"] = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16, "prompt_cache_hit_tokens": 8}
    server.queue(Answer(body=reply))
    with recording("openai_chat_other_service"):
        client.chat.completions.create(
            model="qwen3-8b", messages=QUESTION, extra_body={"top_k": 40, "reasoning_effort": "low"}
        )


# --- parsed -----------------------------------------------------------------------------------------------------------


def test_an_answer_that_is_parsed(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(Answer.reply("chat_json"))
    with recording("openai_chat_parse"):
        answer = parser_of(client)(model="gpt-4o", messages=QUESTION, response_format=Place)
        assert answer.choices[0].message.parsed == Place(city="Rotterdam", day="Tuesday")


async def test_an_answer_that_is_parsed_by_the_async_client(
    recording: Recording, async_client: AsyncOpenAI, server: FakeProvider
) -> None:
    server.queue(Answer.reply("chat_json"))
    with recording("openai_chat_parse"):
        answer = await parser_of(async_client)(model="gpt-4o", messages=QUESTION, response_format=Place)
        assert answer.choices[0].message.parsed == Place(city="Rotterdam", day="Tuesday")


# --- streamed ---------------------------------------------------------------------------------------------------------


def test_a_stream_with_its_tokens(recording: Recording, client: OpenAI) -> None:
    with recording("openai_chat_stream"):
        stream = client.chat.completions.create(
            model=MODEL, messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices).startswith("The")


async def test_a_stream_of_the_async_client(recording: Recording, async_client: AsyncOpenAI) -> None:
    with recording("openai_chat_stream"):
        stream = await async_client.chat.completions.create(
            model=MODEL, messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
        assert [chunk async for chunk in stream]


def test_a_stream_by_the_clients_helper(recording: Recording, client: OpenAI) -> None:
    with recording("openai_chat_stream"), streamer_of(client)(model=MODEL, messages=QUESTION) as stream:
        assert stream.get_final_completion().choices[0].finish_reason == "stop"


def test_a_stream_of_which_the_program_reads_the_lines_itself(recording: Recording, client: OpenAI) -> None:
    with (
        recording("openai_chat_stream"),
        client.chat.completions.with_streaming_response.create(model=MODEL, messages=QUESTION, stream=True) as response,
    ):
        assert list(response.iter_lines())[-2] == "data: [DONE]"


def test_a_stream_that_never_says_its_tokens(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(Answer.stream("chat_tools", usage=False))
    with recording("openai_chat_stream_without_usage"):
        stream = client.chat.completions.create(model=MODEL, messages=QUESTION, tools=[FIND_ORDER], stream=True)
        assert not [chunk for chunk in stream if chunk.usage]
    assert "stream_options" not in server.requests[0].body


def test_a_stream_that_the_program_leaves(recording: Recording, client: OpenAI) -> None:
    with (
        recording("openai_chat_stream_left"),
        client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True) as stream,
    ):
        for chunk in stream:
            if chunk.choices[0].delta.content:
                break


def test_a_stream_that_breaks_off(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    failure = {"error": {"message": "The server had an error.", "type": "server_error", "code": "server_error"}}
    begun = Answer.stream().events or ()
    server.queue(Answer(events=[*begun[:3], event(failure)]))
    with recording("openai_chat_stream_error"), pytest.raises(openai.APIError):
        list(client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True))


# --- failures ---------------------------------------------------------------------------------------------------------


def test_a_call_that_is_refused(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(Answer.error(400, "This model has no such context.", code="context_length_exceeded"))
    with recording("openai_chat_error"):
        with pytest.raises(openai.BadRequestError) as raised:
            client.chat.completions.create(model=MODEL, messages=QUESTION)
        recording.words[str(raised.value)] = "(the client's words)"


def test_a_call_that_succeeds_at_the_third_attempt(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    refusal = Answer.error(429, "Slow down.", code="rate_limit_exceeded", retry_after_ms="1")
    server.queue(refusal, refusal)
    with recording("openai_chat_retried"):
        client.chat.completions.create(model=MODEL, messages=QUESTION)


def test_an_answer_that_is_too_short_to_be_parsed(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    reply = read_reply("chat_json")
    reply["choices"][0] |= {"finish_reason": "length"}
    reply["choices"][0]["message"]["content"] = '{"city": "Rot'
    server.queue(Answer(body=reply))
    with recording("openai_chat_parse_too_short"):
        with pytest.raises(openai.LengthFinishReasonError) as raised:
            parser_of(client)(model="gpt-4o", messages=QUESTION, response_format=Place, max_tokens=5)
        recording.words[str(raised.value)] = "(the client's words)"


# --- Azure ------------------------------------------------------------------------------------------------------------


def test_azure(recording: Recording, server: FakeProvider) -> None:
    with (
        AzureOpenAI(api_key="k", api_version="2024-10-21", azure_endpoint=server.url) as client,
        recording("openai_chat_azure"),
    ):
        client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert server.requests[0].path.startswith(f"/openai/deployments/{MODEL}/chat/completions")


async def test_azure_by_the_async_client(recording: Recording, server: FakeProvider) -> None:
    async with AsyncAzureOpenAI(api_key="k", api_version="2024-10-21", azure_endpoint=server.url) as client:
        with recording("openai_chat_azure"):
            await client.chat.completions.create(model=MODEL, messages=QUESTION)
