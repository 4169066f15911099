"""What programs do with Google's client, each written once. ``PROGRAMS``: by name, with the tokens of each call."""

from __future__ import annotations

from typing import Any

from compare.program import Call, Program
from compare.seen import Seen
from fake_provider import FakeProvider, google
from google_clients import MODEL, gemini, gemini_async
from google_clients import vertex as vertex_client

QUESTION = "Where is my parcel?"
TEXT = Call(12, 7)


def usage_of(answer: Any) -> Any:
    return [answer.usage_metadata.prompt_token_count, answer.usage_metadata.candidates_token_count]


def plain(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from google.genai.types import GenerateContentResponse

    with gemini(server) as client:
        answer = wrap(client).models.generate_content(model=MODEL, contents=QUESTION)
        seen.value("text", seen.kind("answer", answer, GenerateContentResponse).text)
        seen.value("usage", usage_of(answer))


def stream(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from collections.abc import Iterator

    with gemini(server) as client:
        answer = wrap(client).models.generate_content_stream(model=MODEL, contents=QUESTION)
        chunks = list(seen.kind("stream", answer, Iterator))
        seen.value("text", "".join(chunk.text for chunk in chunks))
        seen.value("usage", usage_of(chunks[-1]))


def stream_broken_off(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    with gemini(server) as client:
        answer = wrap(client).models.generate_content_stream(model=MODEL, contents=QUESTION)
        seen.value("first text", next(answer).text)
        answer.close()


def tools(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from google.genai import types

    def find_order(number: int) -> str:
        """Find an order by its number."""
        return f"{number} is at the depot"

    def weather(city: str) -> str:
        """How the weather is."""
        return f"rain in {city}"

    server.queue(google.reply("gemini_tools"), google.reply("gemini_text"))
    with gemini(server) as client:
        config = types.GenerateContentConfig(tools=[find_order, weather])
        answer = wrap(client).models.generate_content(model=MODEL, contents=QUESTION, config=config)
        seen.value("text", answer.text)
        seen.value("history", len(answer.automatic_function_calling_history))


def parse(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from google.genai import types
    from pydantic import BaseModel

    class Place(BaseModel):
        city: str

    reply = google.reply("gemini_text")
    assert reply.body is not None
    reply.body["candidates"][0]["content"]["parts"] = [{"text": '{"city": "Rotterdam"}'}]
    server.queue(reply)
    with gemini(server) as client:
        config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Place)
        answer = wrap(client).models.generate_content(model=MODEL, contents=QUESTION, config=config)
        seen.kind("parsed", answer.parsed, Place)
        seen.value("city", answer.parsed.city)


def embeddings(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from google.genai.types import EmbedContentResponse

    with gemini(server) as client:
        answer = wrap(client).models.embed_content(model="gemini-embedding-001", contents=["a", "b"])
        seen.value("vectors", [each.values for each in seen.kind("answer", answer, EmbedContentResponse).embeddings])


def error(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from google.genai import errors

    server.queue(google.error(429, "slow down"))
    with gemini(server) as client:
        try:
            wrap(client).models.generate_content(model=MODEL, contents=QUESTION)
        except errors.ClientError as raised:
            seen.value("code", raised.code)


async def plain_async(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from google.genai.types import GenerateContentResponse

    async with gemini_async(server) as client:
        answer = await wrap(client).models.generate_content(model=MODEL, contents=QUESTION)
        seen.value("usage", usage_of(seen.kind("answer", answer, GenerateContentResponse)))


async def stream_async(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    from collections.abc import AsyncIterator

    async with gemini_async(server) as client:
        answer = await wrap(client).models.generate_content_stream(model=MODEL, contents=QUESTION)
        chunks = [chunk async for chunk in seen.kind("stream", answer, AsyncIterator)]
        seen.value("usage", usage_of(chunks[-1]))


def vertex(server: FakeProvider, seen: Seen, wrap: Any) -> None:
    with vertex_client(server) as client:
        answer = wrap(client).models.generate_content(model=MODEL, contents=QUESTION)
        seen.value("usage", usage_of(answer))


PROGRAMS = {
    "plain": Program(plain, TEXT),
    "stream": Program(stream, TEXT),
    # Every chunk tells the input, the last one the output.
    "stream broken off": Program(stream_broken_off, Call(12, None)),
    "tools": Program(tools, Call(90, 31), TEXT),
    "parse": Program(parse, TEXT),
    "embeddings": Program(embeddings, Call(6, None)),
    "error": Program(error, Call(None, None, failed=True)),
    "async": Program(plain_async, TEXT),
    "async stream": Program(stream_async, TEXT),
    "Azure, Vertex": Program(vertex, TEXT),
}
