"""Calls of Google's client in one piece, and the whole of each span. See ``scenario.Recording``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.genai import errors, types

import sentrial
from fake_provider import FakeProvider
from fake_provider import google as fake
from google_clients import MODEL, gemini, gemini_async, is_oldest, named, vertex
from scenario import Recording

QUESTION = "Where is my parcel?"
ASKED: dict[str, Any] = {
    "system_instruction": "Be brief.",
    "max_output_tokens": 100,
    "temperature": 0.2,
    "top_p": 0.9,
    "top_k": 40,
    "seed": 7,
    "stop_sequences": ["END"],
    "response_mime_type": "text/plain",
}
FIND_ORDER = {
    "name": "find_order",
    "description": "Find an order by its number",
    "parameters": {"type": "OBJECT", "properties": {"number": {"type": "INTEGER"}}},
}
PLACE = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
PICTURE = b"\x89PNG\xff\xfe" + bytes(4)


@pytest.fixture
def client(server: FakeProvider) -> Iterator[Any]:
    with gemini(server) as client:
        yield client


def test_a_call_with_everything_that_can_be_asked(recording: Recording, client: Any) -> None:
    with recording("google_plain"):
        client.models.generate_content(model=MODEL, contents=QUESTION, config=ASKED)


async def test_the_same_call_of_the_async_client(recording: Recording, server: FakeProvider) -> None:
    with recording("google_plain"):
        async with gemini_async(server) as client:
            await client.models.generate_content(model=MODEL, contents=QUESTION, config=ASKED)


def test_the_same_call_by_a_chat(recording: Recording, client: Any) -> None:
    with recording("google_plain"):
        client.chats.create(model=MODEL, config=ASKED).send_message(QUESTION)


def test_a_chat_sends_what_was_said_before(recording: Recording, client: Any) -> None:
    with recording("google_chat"), sentrial.begin("user_1", "chat-agent", event_id="event_1", convo_id="chat_1"):
        chat = client.chats.create(model=MODEL)
        chat.send_message(QUESTION)
        chat.send_message("And when does it come?")


def test_several_candidates_of_json(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.reply("gemini_candidates"))
    with recording("google_candidates"):
        client.models.generate_content(
            model=MODEL,
            contents=QUESTION,
            config={"candidate_count": 2, "response_mime_type": "application/json", "response_schema": PLACE},
        )


def test_thoughts(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.reply("gemini_thoughts"))
    level: dict[str, Any] = {} if is_oldest() else {"thinking_level": "high"}
    with recording(named("google_thoughts")):
        client.models.generate_content(
            model="gemini-3-pro-preview",
            contents=QUESTION,
            config={"thinking_config": {"include_thoughts": True, **level}},
        )


def test_a_loop_with_a_tool_of_the_programs(recording: Recording, client: Any, server: FakeProvider) -> None:
    @sentrial.tool
    def find_order(number: int) -> dict[str, str]:
        """Find an order by its number."""
        return {"place": "Rotterdam"}

    server.queue(fake.reply("gemini_tools_with_ids"), fake.reply())
    config = {"tools": [{"function_declarations": [FIND_ORDER]}]}
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text=QUESTION)])]
    with recording("google_tools"):
        answer = client.models.generate_content(model=MODEL, contents=contents, config=config)
        contents.append(answer.candidates[0].content)
        call = answer.function_calls[0]
        response = types.FunctionResponse(id=call.id, name=call.name, response=find_order(**call.args))
        contents.append(types.Content(role="user", parts=[types.Part(function_response=response)]))
        client.models.generate_content(model=MODEL, contents=contents, config=config)


def test_pictures(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.reply("gemini_image"))
    with recording("google_image"):
        client.models.generate_content(
            model="gemini-2.5-flash-image",
            contents=[
                "Draw a parcel like these.",
                types.Part.from_bytes(data=PICTURE, mime_type="image/png"),
                types.Part.from_uri(file_uri="https://parcels.example/4711.png", mime_type="image/png"),
            ],
            config={"response_modalities": ["TEXT", "IMAGE"], "cached_content": "cachedContents/parcels"},
        )


def test_speech(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.reply("gemini_speech"))
    with recording("google_speech"):
        client.models.generate_content(
            model="gemini-2.5-flash",
            contents=types.Part.from_bytes(data=b"RIFF" + bytes(8), mime_type="audio/wav"),
            config={"response_modalities": ["AUDIO"], "cached_content": "cachedContents/voices"},
        )


def test_tools_that_the_server_runs(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.reply("gemini_code"))
    with recording("google_code"):
        client.models.generate_content(
            model=MODEL,
            contents="What is six times seven?",
            config={"tools": [{"code_execution": {}}, {"google_search": {}}]},
        )


def test_a_prompt_that_is_blocked(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.reply("gemini_blocked"))
    with recording("google_blocked"):
        client.models.generate_content(model=MODEL, contents="How do I ...")


def test_a_refusal(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.error(429, "slow down"))
    with recording("google_error"), pytest.raises(errors.ClientError):
        client.models.generate_content(model=MODEL, contents=QUESTION)


def test_a_call_that_the_client_makes_again(recording: Recording, server: FakeProvider) -> None:
    # The oldest client knows no second attempt.
    at_once = {"attempts": 3, "initial_delay": 0.0, "max_delay": 0.0, "jitter": 0.0}
    options = {} if is_oldest() else {"retry_options": at_once}
    server.queue(*[fake.error(503, "overloaded")] * (2 if options else 0), fake.reply())
    with gemini(server, **options) as client, recording(named("google_retried")):
        client.models.generate_content(model=MODEL, contents=QUESTION)
    assert len(server.requests) == (3 if options else 1)


async def test_a_call_that_the_async_client_makes_again(recording: Recording, server: FakeProvider) -> None:
    at_once = {"attempts": 3, "initial_delay": 0.0, "max_delay": 0.0, "jitter": 0.0}
    options = {} if is_oldest() else {"retry_options": at_once}
    server.queue(*[fake.error(503, "overloaded")] * (2 if options else 0), fake.reply())
    async with gemini_async(server, **options) as client:
        with recording(named("google_retried")):
            await client.models.generate_content(model=MODEL, contents=QUESTION)
    assert len(server.requests) == (3 if options else 1)


def test_vertex_ai(recording: Recording, server: FakeProvider) -> None:
    with vertex(server) as client, recording("google_vertex"):
        client.models.generate_content(
            model=MODEL, contents=QUESTION, config={"frequency_penalty": 0.1, "presence_penalty": 0.2}
        )


def test_embeddings(recording: Recording, client: Any) -> None:
    with recording("google_embeddings"):
        client.models.embed_content(
            model="gemini-embedding-001", contents=["a", "b"], config={"output_dimensionality": 4}
        )


async def test_embeddings_of_the_async_client(recording: Recording, server: FakeProvider) -> None:
    with recording("google_embeddings"):
        async with gemini_async(server) as client:
            await client.models.embed_content(
                model="gemini-embedding-001", contents=["a", "b"], config={"output_dimensionality": 4}
            )


def test_embeddings_of_vertex_ai(recording: Recording, server: FakeProvider) -> None:
    with vertex(server) as client, recording("google_embeddings_vertex"):
        client.models.embed_content(model="text-embedding-005", contents=["a", "b"])


def test_embeddings_that_are_refused(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.error(400, "too long"))
    with recording("google_embeddings_error"), pytest.raises(errors.ClientError):
        client.models.embed_content(model="gemini-embedding-001", contents="a")


def test_calls_that_generate_nothing_leave_no_span(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.reply("gemini_tokens"))
    with recording("google_nothing"):
        assert client.models.count_tokens(model=MODEL, contents=QUESTION).total_tokens == 5
