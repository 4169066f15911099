"""Tools that Google's client calls by itself: each turn of the model and each tool is a span, in the right place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sentrial
from fake_provider import FakeProvider
from fake_provider import google as fake
from google_clients import MODEL, gemini, gemini_async, is_oldest, named
from google_clients.tools import find_order, weather, weather_later
from scenario import Recording

QUESTION = "Where is my parcel?"


TOOLS = [find_order, weather]


@pytest.fixture
def client(server: FakeProvider) -> Iterator[Any]:
    with gemini(server) as client:
        yield client


@pytest.fixture
def tree(recording: Recording) -> Callable[[], list[tuple[str, str, str]]]:
    """Name, parent and status of each span of the scenario, in the order of their start."""

    def read() -> list[tuple[str, str, str]]:
        names = {span["span_id"]: span["name"] for span in recording.spans}
        words = {0: "ok", 2: "failed"}
        ordered = sorted(recording.spans, key=lambda span: span["start_ns"])
        return [(span["name"], names.get(span["parent_span_id"], ""), words[span["status_code"]]) for span in ordered]

    return read


SESSION = "invoke_agent support-agent"
TURNS = [
    (SESSION, "", "ok"),
    (f"generate_content {MODEL}", SESSION, "ok"),
    ("execute_tool find_order", SESSION, "ok"),
    ("execute_tool weather", SESSION, "failed"),
    (f"generate_content {MODEL}", SESSION, "ok"),
]


def test_a_call(recording: Recording, client: Any, server: FakeProvider, tree: Any) -> None:
    server.queue(fake.reply("gemini_tools_with_ids"), fake.reply())
    with recording(named("google_tools_by_itself")):
        answer = client.models.generate_content(model=MODEL, contents=QUESTION, config={"tools": TOOLS})
        assert answer.text == "Your parcel is in Rotterdam."
    assert tree() == TURNS


async def test_an_async_call(recording: Recording, server: FakeProvider, tree: Any) -> None:
    server.queue(fake.reply("gemini_tools_with_ids"), fake.reply())
    with recording(named("google_tools_by_itself")):
        async with gemini_async(server) as client:
            await client.models.generate_content(model=MODEL, contents=QUESTION, config={"tools": TOOLS})
    assert tree() == TURNS


def test_a_chat(recording: Recording, client: Any, server: FakeProvider, tree: Any) -> None:
    server.queue(fake.reply("gemini_tools_with_ids"), fake.reply())
    with recording(named("google_tools_by_itself")):
        client.chats.create(model=MODEL, config={"tools": TOOLS}).send_message(QUESTION)
    assert tree() == TURNS


def test_a_stream(recording: Recording, client: Any, server: FakeProvider, tree: Any) -> None:
    server.queue(fake.stream("gemini_tools_with_ids"), fake.stream())
    with recording(named("google_tools_by_itself_streamed")):
        stream = client.models.generate_content_stream(model=MODEL, contents=QUESTION, config={"tools": TOOLS})
        assert "".join(chunk.text or "" for chunk in stream) == "Your parcel is in Rotterdam."
    assert tree() == TURNS


async def test_an_async_stream(recording: Recording, server: FakeProvider, tree: Any) -> None:
    server.queue(fake.stream("gemini_tools_with_ids"), fake.stream())
    with recording(named("google_tools_by_itself_streamed")):
        async with gemini_async(server) as client:
            stream = await client.models.generate_content_stream(
                model=MODEL, contents=QUESTION, config={"tools": TOOLS}
            )
            assert "".join([chunk.text or "" async for chunk in stream]) == "Your parcel is in Rotterdam."
    assert tree() == TURNS


def test_a_tool_that_records_itself_is_one_span(
    recording: Recording, client: Any, server: FakeProvider, tree: Any
) -> None:
    server.queue(fake.reply("gemini_tools_with_ids"), fake.reply())
    tools = [sentrial.tool(find_order), sentrial.tool(weather)]
    with recording(named("google_tools_decorated"), conversation="conv_7"):
        client.models.generate_content(model=MODEL, contents=QUESTION, config={"tools": tools})
    assert tree() == TURNS


async def test_a_tool_that_is_a_coroutine_function(recording: Recording, server: FakeProvider, tree: Any) -> None:
    server.queue(fake.reply("gemini_tools_with_ids"), fake.reply())
    with recording(named("google_tools_coroutine")):
        async with gemini_async(server) as client:
            await client.models.generate_content(
                model=MODEL,
                contents=QUESTION,
                config={"tools": [find_order, weather if is_oldest() else weather_later]},
            )
    assert [step[0] for step in tree()] == [step[0] for step in TURNS]


def test_outside_of_a_session_tools_run_as_ever(recording: Recording, client: Any, server: FakeProvider) -> None:
    server.queue(fake.reply("gemini_tools_with_ids"), fake.reply())
    answer = client.models.generate_content(model=MODEL, contents=QUESTION, config={"tools": TOOLS})
    assert answer.text == "Your parcel is in Rotterdam."
    response = server.requests[1].body["contents"][2]["parts"][0]["functionResponse"]
    assert response["response"] == {"result": "Rotterdam"}
