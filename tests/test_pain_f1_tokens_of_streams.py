"""Pain F1: a stream has the tokens that the provider sent; what was not sent is absent.

They are asked for where the user's settings say so, and nowhere else; the program then sees what it would have seen.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest

import sentrial
from fake_provider import Answer, FakeProvider, read_reply
from fake_provider.completion_stream import completion_events_of
from faults import broken, pieces_of
from receivers import SentrialStandIn
from recorder import Recorder
from recorder.fixtures import patched, recorder, server
from running import arrived
from sentrial import _config
from sentrial._config import Config
from sentrial._patch import install

__all__ = ["patched", "recorder", "server"]

ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where is my parcel?"}], "stream": True}
TOLD = {
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 48,
    "gen_ai.usage.cache_read.input_tokens": 1024,
    "gen_ai.usage.reasoning.output_tokens": 16,
}


def usage(recorder: Recorder) -> dict[str, Any]:
    return {key: value for key, value in recorder.attributes.items() if key.startswith("gen_ai.usage.")}


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("asked", [True, False])
def test_pain_f1_a_stream_has_the_tokens_that_were_sent_and_no_others(
    server: FakeProvider, recorder: Recorder, asked: bool
) -> None:
    server.queue(Answer.stream(usage=asked))
    options = {"stream_options": {"include_usage": True}} if asked else {}
    with openai.OpenAI(api_key="k", base_url=server.base_url) as client:
        chunks = list(client.chat.completions.create(**ASK, **options))
    assert usage(recorder) == (TOLD if asked else {})
    assert server.requests[0].body.get("stream_options") == options.get("stream_options")
    # The chunk of the tokens, without choices, is there for who asked for it and for nobody else.
    assert [len(chunk.choices) for chunk in chunks].count(0) == int(asked)


@pytest.mark.usefixtures("patched")
async def test_pain_f1_what_was_not_sent_is_absent_from_an_async_stream_and_not_zero(
    server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(Answer.stream(usage=False))
    async with openai.AsyncOpenAI(api_key="k", base_url=server.base_url) as client:
        chunks = [chunk async for chunk in await client.chat.completions.create(**ASK)]
    assert all(chunk.choices for chunk in chunks)
    assert usage(recorder) == {}
    assert "sentrial.estimated_cost" not in recorder.attributes


# --- asked for, because the settings say so ---------------------------------------------------------------------------

TEXT: Any = {"model": "gpt-3.5-turbo-instruct", "prompt": "Where is my parcel?", "stream": True}
TOLD_OF_TEXT = {"gen_ai.usage.input_tokens": 4, "gen_ai.usage.output_tokens": 6}
KEY = "sentrial_test_key"


@pytest.fixture
def asking(patched: None, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config, "active", Config(stream_usage=True))


@pytest.fixture
def client(server: FakeProvider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=server.base_url, max_retries=1) as client:
        yield client


@pytest.fixture
async def async_client(server: FakeProvider) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="k", base_url=server.base_url) as client:
        yield client


def answer(*, usage: bool, text: bool = False) -> Answer:
    if text:
        return Answer(events=completion_events_of(read_reply("completion_text"), usage=usage))
    return Answer.stream(usage=usage)


def helper_of(client: Any) -> Any:
    asked = {key: value for key, value in ASK.items() if key != "stream"}
    completions = (
        client.chat.completions if hasattr(client.chat.completions, "stream") else client.beta.chat.completions
    )
    return completions.stream(**asked)


def all_of(value: Any) -> Any:
    """What a program can tell of a chunk, an event or an answer."""
    return type(value), value.to_dict(), value.model_fields_set, value


def read(client: openai.OpenAI, how: str) -> list[Any]:
    if how == "helper":
        with helper_of(client) as helper:
            return [*map(all_of, helper), all_of(helper.get_final_completion())]
    if how == "text":
        return list(map(all_of, client.completions.create(**TEXT)))
    stream = client.chat.completions.create(**ASK)
    if how == "with":
        with stream as chunks:
            return list(map(all_of, chunks))
    if how == "next":
        seen = []
        while (chunk := next(stream, None)) is not None:
            seen.append(all_of(chunk))
        return seen
    return list(map(all_of, stream))


async def read_async(client: openai.AsyncOpenAI, how: str) -> list[Any]:
    if how == "helper":
        async with helper_of(client) as helper:
            return [*[all_of(event) async for event in helper], all_of(await helper.get_final_completion())]
    if how == "text":
        return [all_of(chunk) async for chunk in await client.completions.create(**TEXT)]
    stream = await client.chat.completions.create(**ASK)
    if how == "with":
        async with stream as chunks:
            return [all_of(chunk) async for chunk in chunks]
    if how == "next":
        seen = []
        while (chunk := await anext(stream, None)) is not None:
            seen.append(all_of(chunk))
        return seen
    return [all_of(chunk) async for chunk in stream]


READINGS = ["for", "next", "with", "helper", "text"]


@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize("how", READINGS)
def test_pain_f1_a_stream_that_is_asked_for_its_tokens_looks_as_one_that_is_not(
    client: openai.OpenAI, server: FakeProvider, recorder: Recorder, how: str
) -> None:
    server.queue(*(answer(usage=asked, text=how == "text") for asked in (True, False)))
    ours = read(client, how)
    install.uninstall()
    theirs = read(client, how)
    assert ours == theirs
    assert len(ours) > 3
    assert usage(recorder) == (TOLD_OF_TEXT if how == "text" else TOLD)
    assert recorder.attributes["sentrial.stream.end"] == "drained"
    sent, unasked = (request.body for request in server.requests)
    assert sent == {**unasked, "stream_options": {"include_usage": True}}
    assert "stream_options" not in unasked


@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize("how", READINGS)
async def test_pain_f1_an_async_stream_that_is_asked_for_its_tokens_looks_as_one_that_is_not(
    async_client: openai.AsyncOpenAI, server: FakeProvider, recorder: Recorder, how: str
) -> None:
    server.queue(*(answer(usage=asked, text=how == "text") for asked in (True, False)))
    ours = await read_async(async_client, how)
    install.uninstall()
    theirs = await read_async(async_client, how)
    assert ours == theirs
    assert len(ours) > 3
    assert usage(recorder) == (TOLD_OF_TEXT if how == "text" else TOLD)
    assert recorder.attributes["sentrial.stream.end"] == "drained"
    sent, unasked = (request.body for request in server.requests)
    assert sent == {**unasked, "stream_options": {"include_usage": True}}


@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize("wanted", [True, False])
def test_pain_f1_what_the_program_has_said_of_the_tokens_stands(
    client: openai.OpenAI, server: FakeProvider, recorder: Recorder, wanted: bool
) -> None:
    server.queue(answer(usage=wanted))
    options: Any = {"include_usage": wanted}
    chunks = list(client.chat.completions.create(**ASK, stream_options=options))
    assert server.requests[0].body["stream_options"] == {"include_usage": wanted}
    assert [len(chunk.choices) for chunk in chunks].count(0) == int(wanted)
    assert "usage" in chunks[0].model_fields_set or not wanted
    assert usage(recorder) == (TOLD if wanted else {})


@pytest.mark.usefixtures("asking")
def test_pain_f1_each_attempt_asks_and_nothing_of_the_programs_is_changed(
    client: openai.OpenAI, server: FakeProvider
) -> None:
    server.queue(Answer.error(429, retry_after_ms="1"), answer(usage=True))
    given = {**ASK, "stream_options": {"include_obfuscation": False}, "extra_body": {"top_k": 4}}
    before = copy.deepcopy(given)
    assert all(chunk.choices for chunk in client.chat.completions.create(**given))
    assert given == before
    first, second = (request.body for request in server.requests)
    assert first == second
    assert second["top_k"] == 4
    assert second["stream_options"] == {"include_obfuscation": False, "include_usage": True}


@pytest.mark.usefixtures("asking")
def test_pain_f1_who_reads_the_response_himself_gets_what_he_asked_for(
    client: openai.OpenAI, server: FakeProvider
) -> None:
    server.queue(answer(usage=False), answer(usage=False))
    raw = client.chat.completions.with_raw_response.create(**ASK)
    assert all(chunk.choices for chunk in raw.parse())
    with client.chat.completions.with_streaming_response.create(**ASK) as response:
        assert b"".join(response.iter_bytes()) == b"".join(answer(usage=False).events or ())
    assert [request.body.get("stream_options") for request in server.requests] == [None, None]


@pytest.mark.usefixtures("asking")
def test_pain_f1_a_plain_answer_is_asked_for_as_ever(client: openai.OpenAI, server: FakeProvider) -> None:
    client.chat.completions.create(model="gpt-4o", messages=ASK["messages"])
    assert server.requests[0].body == {"model": "gpt-4o", "messages": ASK["messages"]}


@pytest.mark.usefixtures("asking")
def test_pain_f1_what_was_asked_for_stays_hidden_when_the_recording_has_ended(
    client: openai.OpenAI, server: FakeProvider
) -> None:
    server.queue(answer(usage=True))
    stream = client.chat.completions.create(**ASK)
    chunks = [next(stream)]
    sentrial.shutdown()
    chunks += stream
    assert all(chunk.choices for chunk in chunks)
    assert "usage" not in chunks[-1].to_dict()


@pytest.mark.quiet_guard
@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize("name", ["_providers.openai.stream_usage.ask", "_providers.stainless.add_fields"])
def test_pain_f1_where_asking_fails_the_call_is_the_programs_own(
    client: openai.OpenAI, server: FakeProvider, recorder: Recorder, name: str
) -> None:
    (piece,) = (each for each in pieces_of(name.rpartition(".")[0]) if each.name == name)
    server.queue(answer(usage=False))
    with broken(piece) as calls:
        chunks = list(client.chat.completions.create(**ASK))
    assert len(calls) == 1
    assert "stream_options" not in server.requests[0].body
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "The parcel left Rotterdam on Tuesday."
    assert usage(recorder) == {}


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_pain_f1_the_tokens_that_the_settings_ask_for_arrive(
    client: openai.OpenAI, server: FakeProvider, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    server.queue(answer(usage=True))
    if by == "variable":
        monkeypatch.setenv("SENTRIAL_STREAM_USAGE", "true")
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, stream_usage=True if by == "argument" else None)
        with sentrial.begin("u", "agent"):
            assert all(chunk.choices for chunk in client.chat.completions.create(**ASK))
        attributes = arrived(stand_in)["chat gpt-4o"]["attributes"]
        sentrial.shutdown()
    assert TOLD.items() <= attributes.items()
    assert attributes["sentrial.estimated_cost"] > 0
