"""What programs do with OpenAI's client, each written once. ``PROGRAMS``: by name, with the tokens of each call."""

from __future__ import annotations

from typing import Any

from compare.program import Call, Program
from compare.seen import Seen
from fake_provider import Answer, FakeProvider

MESSAGES: Any = [{"role": "user", "content": "Where is my parcel?"}]
ASK: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": MESSAGES}
TOOLS: Any = [
    {"type": "function", "function": {"name": "find_order", "parameters": {"type": "object", "properties": {}}}}
]
TEXT = Call(1200, 48)


def client_of(server: FakeProvider) -> Any:
    from openai import OpenAI

    return OpenAI(api_key="none", base_url=server.base_url, max_retries=0)


def usage_of(answer: Any) -> Any:
    return answer.usage.model_dump(mode="json", include={"prompt_tokens", "completion_tokens"})


def plain(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai.types.chat import ChatCompletion

    answer = seen.kind("answer", wrap(client_of(server)).chat.completions.create(**ASK), ChatCompletion)
    seen.value("text", answer.choices[0].message.content)
    seen.value("usage", usage_of(answer))


def stream(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai import Stream

    answer = wrap(client_of(server)).chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
    seen.kind("stream", answer, Stream)
    chunks = list(answer)
    seen.value("text", "".join(each.choices[0].delta.content or "" for each in chunks if each.choices))
    seen.value("chunks", len(chunks))
    seen.value("usage", usage_of(chunks[-1]))
    seen.value("status", answer.response.status_code)


def stream_without_usage(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    # Whoever asks for usage in the program's place must keep it from the program: its last chunk has no choices.
    chunks = list(wrap(client_of(server)).chat.completions.create(**ASK, stream=True))
    seen.value("chunks", len(chunks))
    seen.value("chunks without choices", sum(not each.choices for each in chunks))


def stream_broken_off(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai import Stream

    with wrap(client_of(server)).chat.completions.create(**ASK, stream=True) as answer:
        seen.kind("stream", answer, Stream)
        for number, chunk in enumerate(answer):
            if number == 2:
                seen.value("third chunk", chunk.choices[0].delta.content)
                break


def stream_helper(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai.lib.streaming.chat import ChatCompletionStream

    with wrap(client_of(server)).chat.completions.stream(**ASK, stream_options={"include_usage": True}) as answer:
        seen.kind("stream", answer, ChatCompletionStream)
        seen.value("events", [event.type for event in answer])
        seen.value("usage", usage_of(answer.get_final_completion()))


def tools(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    server.queue(Answer.reply("chat_tools"), Answer.reply("chat_text"))
    client = wrap(client_of(server))
    asked = client.chat.completions.create(**ASK, tools=TOOLS).choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "at the depot"} for call in asked.tool_calls]
    answer = client.chat.completions.create(model=ASK["model"], messages=[*MESSAGES, asked, *results], tools=TOOLS)
    seen.value("text", answer.choices[0].message.content)


def raw_response(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai.types.chat import ChatCompletion

    raw = wrap(client_of(server)).chat.completions.with_raw_response.create(**ASK)
    seen.value("request id", raw.headers["x-request-id"])
    seen.value("usage", usage_of(seen.kind("answer", raw.parse(), ChatCompletion)))


def parse(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from pydantic import BaseModel

    class Place(BaseModel):
        city: str
        day: str

    server.queue(Answer.reply("chat_json"))
    answer = wrap(client_of(server)).chat.completions.parse(**ASK, response_format=Place)
    seen.kind("parsed", answer.choices[0].message.parsed, Place)
    seen.value("city", answer.choices[0].message.parsed.city)


def embeddings(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai.types import CreateEmbeddingResponse

    answer = wrap(client_of(server)).embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    seen.kind("answer", answer, CreateEmbeddingResponse)
    seen.value("vectors", [each.embedding for each in answer.data])


def error(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai import RateLimitError

    server.queue(Answer.error(429, "slow down", code="rate_limit_exceeded"))
    try:
        wrap(client_of(server)).chat.completions.create(**ASK)
    except RateLimitError as raised:
        seen.value("code", raised.code)
        seen.value("status", raised.status_code)


def responses(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai.types.responses import Response

    answer = wrap(client_of(server)).responses.create(model="gpt-5-mini", input="Where is my parcel?")
    seen.value("text", seen.kind("answer", answer, Response).output_text)


def responses_stream(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai import Stream

    answer = wrap(client_of(server)).responses.create(model="gpt-5-mini", input="Where is my parcel?", stream=True)
    seen.value("events", [event.type for event in seen.kind("stream", answer, Stream)])


async def plain_async(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

    async with AsyncOpenAI(api_key="none", base_url=server.base_url, max_retries=0) as client:
        answer = seen.kind("answer", await wrap(client).chat.completions.create(**ASK), ChatCompletion)
        seen.value("usage", usage_of(answer))


async def stream_async(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai import AsyncOpenAI, AsyncStream

    async with AsyncOpenAI(api_key="none", base_url=server.base_url, max_retries=0) as client:
        answer = await wrap(client).chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
        seen.kind("stream", answer, AsyncStream)
        chunks = [chunk async for chunk in answer]
        seen.value("chunks", len(chunks))
        seen.value("usage", usage_of(chunks[-1]))


def azure(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from openai import AzureOpenAI
    from openai.types.chat import ChatCompletion

    client = AzureOpenAI(api_key="none", azure_endpoint=server.url, api_version="2025-04-01-preview", max_retries=0)
    answer = seen.kind("answer", wrap(client).chat.completions.create(**ASK), ChatCompletion)
    seen.value("usage", usage_of(answer))


PROGRAMS = {
    "plain": Program(plain, TEXT),
    "stream": Program(stream, TEXT),
    "stream, no usage asked": Program(stream_without_usage, Call(1200, 48, optional=True)),
    "stream broken off": Program(stream_broken_off, Call(None, None)),
    "stream helper": Program(stream_helper, TEXT),
    "tools": Program(tools, Call(90, 31), TEXT),
    "raw response": Program(raw_response, TEXT),
    "parse": Program(parse, Call(50, 14)),
    "embeddings": Program(embeddings, Call(10, None)),
    "error": Program(error, Call(None, None, failed=True)),
    "responses API": Program(responses, Call(1500, 96)),
    "responses API, stream": Program(responses_stream, Call(1500, 96)),
    "async": Program(plain_async, TEXT),
    "async stream": Program(stream_async, TEXT),
    "Azure, Vertex": Program(azure, TEXT),
}
