"""Pain D2: raw and streaming responses are the client's own, headers and all, and what is read of them is recorded."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
from anthropic import AnthropicBedrock, AsyncAnthropicBedrock

from adapters import RESPONSE_ADAPTERS, Adapter
from adapters.openai_chat import OpenAiChat, OpenAiChatAsync
from fake_provider import FakeProvider
from recorder import Recorder
from recorder.fixtures import patched, recorder, server
from recorder.reading import said
from sentrial._patch import install

__all__ = ["patched", "recorder", "server"]

USAGE = "gen_ai.usage.input_tokens"
READINGS = ["parses", "reads headers only", "iterates lines"]


class Embeddings(OpenAiChat):
    """Embeddings of ``openai.OpenAI``."""

    name: ClassVar[str] = "openai embeddings"

    @property
    def resource(self) -> Any:
        return self.client.embeddings

    def kwargs(self, question: str = "Lisbon", **changes: Any) -> dict[str, Any]:
        return {"model": "text-embedding-3-small", "input": question, **changes}


class EmbeddingsAsync(OpenAiChatAsync):
    """Embeddings of ``openai.AsyncOpenAI``."""

    name: ClassVar[str] = "openai embeddings async"
    resource = Embeddings.resource
    kwargs = Embeddings.kwargs


CASES = [
    *((adapter, stream) for adapter in RESPONSE_ADAPTERS for stream in (False, True)),
    (Embeddings, False),
    (EmbeddingsAsync, False),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0].name}{', streamed' if case[1] else ''}")
async def case(
    request: pytest.FixtureRequest, server: FakeProvider, patched: None
) -> AsyncIterator[tuple[Any, dict[str, Any]]]:
    """A client, and what a call adds to be streamed."""
    make, stream = request.param
    client: Adapter = make(server.url)
    yield client, {"stream": True} if stream else {}
    await client.aclose()


@asynccontextmanager
async def answered(client: Any, way: str, changes: dict[str, Any]) -> AsyncIterator[Any]:
    """The raw answer, by either of the client's two ways to it."""
    if way == "raw":
        yield await client.raw(**changes)
    else:
        async with client.raw_streaming(**changes) as raw:
            yield raw


async def lines(client: Any, raw: Any) -> list[str]:
    """The lines of the body, by the client's own method or, where the object has none, by that of httpx."""
    if hasattr(raw, "iter_lines"):
        found: list[str] = await client.lines(raw)
        return found
    response = raw.http_response
    return [line async for line in response.aiter_lines()] if client.is_async else list(response.iter_lines())


async def behaviour(client: Any, way: str, reading: str, changes: dict[str, Any]) -> list[Any]:
    """All that a program sees of one answer."""
    async with answered(client, way, changes) as raw:
        headers = {key: value for key, value in raw.headers.items() if key != "date"}
        seen = [type(raw), dir(raw), headers, raw.status_code, raw.http_request.method, raw.retries_taken]
        if reading == "parses":
            parsed = await client.parse(raw)
            seen += [type(parsed), await client.drain(parsed) if changes else parsed]
        elif reading == "iterates lines":
            seen.append(await lines(client, raw))
    return seen


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("way", ["raw", "streaming response"])
async def test_pain_d2_a_raw_answer_behaves_as_ever_and_is_one_span(
    case: tuple[Any, dict[str, Any]], recorder: Recorder, way: str, reading: str
) -> None:
    client, changes = case
    ours = await behaviour(client, way, reading, changes)
    install.uninstall()
    theirs = await behaviour(client, way, reading, changes)
    assert ours == theirs
    # A raw answer that is not streamed has been read by the client itself.
    if reading != "reads headers only" or (way == "raw" and not changes):
        assert recorder.attributes["gen_ai.request.model"] == client.kwargs()["model"]
        assert recorder.attributes["gen_ai.response.model"]
        assert recorder.attributes[USAGE] > 0
    elif way != "raw":
        assert recorder.attributes["sentrial.stream.end"] == "closed"
        assert USAGE not in recorder.attributes


async def test_pain_d2_a_plain_answer_is_as_ever_and_one_span(
    case: tuple[Any, dict[str, Any]], recorder: Recorder
) -> None:
    client, changes = case

    async def call() -> list[Any]:
        answer = await client.create(**changes)
        return [type(answer), dir(answer), await client.drain(answer) if changes else answer]

    ours = await call()
    assert recorder.attributes[USAGE] > 0
    install.uninstall()
    assert ours == await call()
    assert recorder.started == 1


async def test_pain_d2_what_a_raw_answer_can_do_is_what_it_says(
    case: tuple[Any, dict[str, Any]], recorder: Recorder
) -> None:
    client, changes = case
    raw = await client.raw(**changes)
    assert type(raw).__module__.partition(".")[0] == client.module
    assert not hasattr(raw, "__wrapped__")
    ours = inspect.signature(raw.parse)
    parsed = await client.parse(raw)
    if changes:
        await client.drain(parsed)
    install.uninstall()
    again = await client.raw(**changes)
    assert inspect.signature(again.parse) == ours
    # Read to its end, so that nothing is left open.
    if changes:
        await client.drain(await client.parse(again))
    assert recorder.started == 1


# --- Bedrock: its streams come in frames of AWS's own -----------------------------------------------------------------

ASK: dict[str, Any] = {
    "model": "anthropic.claude-opus-4-5-20251101-v1:0",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Where is my parcel?"}],
    "stream": True,
}
WORDS = "Your parcel left Lisbon this morning and arrives tomorrow."


@pytest.fixture
def bedrock(server: FakeProvider) -> dict[str, Any]:
    return {"aws_region": "eu-west-1", "aws_access_key": "k", "aws_secret_key": "k", "base_url": server.url}


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("reading", ["parses", "passes on"])
def test_pain_d2_a_raw_stream_through_bedrock_says_all(
    bedrock: dict[str, Any], recorder: Recorder, reading: str
) -> None:
    with AnthropicBedrock(**bedrock) as client:
        if reading == "parses":
            events = client.messages.with_raw_response.create(**ASK).parse()
            assert [event.type for event in events][-1] == "message_stop"
        else:
            with client.messages.with_streaming_response.create(**ASK) as raw:
                assert b"".join(raw.iter_bytes())
    assert_all_is_said(recorder)


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("reading", ["parses", "passes on"])
async def test_pain_d2_a_raw_async_stream_through_bedrock_says_all(
    bedrock: dict[str, Any], recorder: Recorder, reading: str
) -> None:
    async with AsyncAnthropicBedrock(**bedrock) as client:
        if reading == "parses":
            raw = await client.messages.with_raw_response.create(**ASK)
            parsed: Any = raw.parse()
            events = await parsed if inspect.iscoroutine(parsed) else parsed
            assert [event.type async for event in events][-1] == "message_stop"
        else:
            async with client.messages.with_streaming_response.create(**ASK) as streaming:
                assert b"".join([piece async for piece in streaming.iter_bytes()])
    assert_all_is_said(recorder)


def assert_all_is_said(recorder: Recorder) -> None:
    assert said(recorder) == WORDS
    assert recorder.attributes["sentrial.stream.end"] == "drained"
    assert recorder.attributes["gen_ai.response.finish_reasons"]
    assert recorder.attributes[USAGE] > 0
