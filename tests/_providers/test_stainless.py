"""Calls that a program makes by ``client.post()`` and ``client.get()``, past the resources of its client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from fake_provider import FakeProvider
from recorder import Recorder

BODY: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Where is it?"}]}

pytestmark = pytest.mark.usefixtures("patched")


@pytest.fixture
def client(server: FakeProvider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=server.base_url, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("path", ["/chat/completions", "chat/completions", "{base_url}chat/completions"])
def test_a_path_may_be_written_in_each_way_that_the_client_takes(
    client: openai.OpenAI, recorder: Recorder, path: str
) -> None:
    answer: Any = client.post(path.format(base_url=client.base_url), cast_to=object, body=BODY)
    assert answer["id"] == recorder.attributes["gen_ai.response.id"]
    assert recorder.one.name == "chat m"


def test_so_may_the_path_of_what_is_fetched(client: openai.OpenAI, recorder: Recorder) -> None:
    client.get("responses/resp_back_1", cast_to=object)
    assert recorder.one.name == "fetch_response"
    assert recorder.attributes["gen_ai.response.id"] == "resp_back_1"


def test_what_goes_elsewhere_is_no_call_of_the_api(
    client: openai.OpenAI, server: FakeProvider, recorder: Recorder
) -> None:
    client.post(f"{server.url}/elsewhere/chat/completions", cast_to=object, body=BODY)
    assert [request.path for request in server.requests] == ["/elsewhere/chat/completions"]
    assert recorder.spans == []


def test_anthropics_client_takes_them_too(server: FakeProvider, recorder: Recorder) -> None:
    with anthropic.Anthropic(api_key="k", base_url=server.url, max_retries=0) as client:
        client.post("v1/messages", cast_to=object, body=BODY)
    assert recorder.one.name == "chat m"


def test_an_http_response_as_the_answer_is_read(client: openai.OpenAI, recorder: Recorder) -> None:
    client.chat.completions.create(**BODY)
    expected = recorder.attributes, recorder.output
    kind = type(client.chat.completions.with_raw_response.create(**BODY).http_response)
    recorder.clear()
    response = client.post("/chat/completions", cast_to=kind, body=BODY)
    assert response.json()["id"] == recorder.attributes["gen_ai.response.id"]
    assert (recorder.attributes, recorder.output) == expected


async def test_so_is_that_of_an_async_client(server: FakeProvider, recorder: Recorder) -> None:
    async with openai.AsyncOpenAI(api_key="k", base_url=server.base_url, max_retries=0) as client:
        raw = await client.chat.completions.with_raw_response.create(**BODY)
        recorder.clear()
        await client.post("/chat/completions", cast_to=type(raw.http_response), body=BODY)
    assert recorder.attributes["gen_ai.usage.output_tokens"] == 48
