"""Streams of Google's client, as programs read them, and the whole of each span. See ``scenario.Recording``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from google.genai import errors

from fake_provider import FakeProvider
from fake_provider import google as fake
from google_clients import MODEL, gemini, gemini_async, is_oldest, named
from scenario import Recording

QUESTION = "Where is my parcel?"


@pytest.fixture
def client(server: FakeProvider) -> Iterator[Any]:
    with gemini(server) as client:
        yield client


def test_a_stream(recording: Recording, client: Any) -> None:
    with recording("google_stream"):
        chunks = list(client.models.generate_content_stream(model=MODEL, contents=QUESTION))
        assert "".join(chunk.text for chunk in chunks) == "Your parcel is in Rotterdam."


async def test_a_stream_of_the_async_client(recording: Recording, server: FakeProvider) -> None:
    with recording("google_stream"):
        async with gemini_async(server) as client:
            stream = await client.models.generate_content_stream(model=MODEL, contents=QUESTION)
            assert "".join([chunk.text async for chunk in stream]) == "Your parcel is in Rotterdam."


def test_a_stream_of_a_chat(recording: Recording, client: Any) -> None:
    with recording("google_stream"):
        assert len(list(client.chats.create(model=MODEL).send_message_stream(QUESTION))) == 4


def test_a_stream_of_thoughts(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.stream("gemini_thoughts"))
    with recording("google_stream_thoughts"):
        list(
            client.models.generate_content_stream(
                model="gemini-3-pro-preview",
                contents=QUESTION,
                config={"thinking_config": {"include_thoughts": True}},
            )
        )


def test_a_stream_that_is_closed(recording: Recording, client: Any) -> None:
    # Below the client's own generators, closing and dropping them look the same: the innermost one is dropped.
    with recording("google_stream_closed"):
        stream = client.models.generate_content_stream(model=MODEL, contents=QUESTION)
        assert next(stream).text == "Your pa"
        stream.close()


async def test_an_async_stream_that_is_closed(recording: Recording, server: FakeProvider) -> None:
    with recording("google_stream_closed"):
        async with gemini_async(server) as client:
            stream = await client.models.generate_content_stream(model=MODEL, contents=QUESTION)
            assert (await stream.__anext__()).text == "Your pa"
            await stream.aclose()
            # The loop closes the client's inner generators, one after the other.
            for _ in range(10):
                await asyncio.sleep(0)


def test_a_stream_that_is_refused(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.error(503, "overloaded"))
    with recording(named("google_stream_error")), pytest.raises(errors.ServerError):
        list(client.models.generate_content_stream(model=MODEL, contents=QUESTION))


def test_a_stream_with_an_error_in_it(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.broken_stream(message="overloaded"))
    with recording(named("google_stream_broken")):
        stream = client.models.generate_content_stream(model=MODEL, contents=QUESTION)
        if is_oldest():
            # It takes the error for an answer that says nothing.
            assert [chunk.text for chunk in stream][-1] is None
        else:
            with pytest.raises(errors.ServerError):
                list(stream)
