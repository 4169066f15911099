"""Responses of OpenAI's client, as programs ask for them, and the whole of each span."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, AzureOpenAI, OpenAI
from openai.resources.beta import Beta
from pydantic import BaseModel

import sentrial
from fake_provider import Answer, FakeProvider, read_reply
from fake_provider.response_stream import response_event, response_events_of
from scenario import Recording

MODEL = "gpt-5-mini"
QUESTION = "Where is my parcel?"
ASKED: dict[str, Any] = {
    "model": MODEL,
    "input": QUESTION,
    "instructions": "Be brief.",
    "max_output_tokens": 300,
    "temperature": 1.0,
    "top_p": 0.9,
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {"format": {"type": "text"}, "verbosity": "low"},
    "service_tier": "flex",
    "previous_response_id": "resp_0",
}
FIND_ORDER: Any = {
    "type": "function",
    "name": "find_order",
    "description": "Find an order by its number",
    "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}},
    "strict": False,
}

# The newest clients have a second way to the same API.
SURFACES = ["responses", *(["beta.responses"] if hasattr(Beta, "responses") else [])]


class Place(BaseModel):
    city: str
    day: str


@pytest.fixture
def client(server: FakeProvider) -> Any:
    with OpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        yield client


@pytest.fixture
async def async_client(server: FakeProvider) -> Any:
    async with AsyncOpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        yield client


def stream_of(name: str) -> Answer:
    return Answer(events=response_events_of(read_reply(name)))


# --- in one piece -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", SURFACES)
def test_a_call_with_everything_that_can_be_asked(recording: Recording, client: OpenAI, surface: str) -> None:
    with recording("openai_response_plain"):
        attrgetter(surface)(client).create(**ASKED)


async def test_the_same_call_of_the_async_client(recording: Recording, async_client: AsyncOpenAI) -> None:
    with recording("openai_response_plain"):
        await async_client.responses.create(**ASKED)


def test_the_same_call_of_which_the_program_reads_the_raw_response(recording: Recording, client: OpenAI) -> None:
    with recording("openai_response_plain"):
        assert client.responses.with_raw_response.create(**ASKED).parse().status == "completed"


def test_the_same_call_of_which_the_program_reads_the_body_itself(recording: Recording, client: OpenAI) -> None:
    responses = client.responses.with_streaming_response
    with recording("openai_response_plain"), responses.create(**ASKED) as response:
        assert b"Rotterdam" in response.read()


def test_a_prompt_of_the_providers_in_a_conversation(
    recording: Recording, client: OpenAI, server: FakeProvider
) -> None:
    server.queue(Answer(body={**read_reply("response_text"), "conversation": {"id": "conv_1"}}))
    with recording("openai_response_prompt"):
        client.responses.create(
            prompt={"id": "pmpt_1", "version": "2", "variables": {"city": "Rotterdam", "tone": "brief"}},
            conversation="conv_1",
        )


def test_a_loop_with_a_tool_of_the_programs(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    @sentrial.tool
    def find_order(number: int) -> dict[str, str]:
        """Find an order by its number."""
        return {"place": "Rotterdam"}

    asking = read_reply("response_tools")
    asking["output"].pop()
    server.queue(Answer(body=asking))
    tools: Any = [FIND_ORDER, {"type": "custom", "name": "run_query"}, {"type": "web_search"}]
    with recording("openai_response_tools"):
        answer = client.responses.create(model=MODEL, input=QUESTION, tools=tools)
        history: list[Any] = [{"role": "user", "content": QUESTION}, *answer.output]
        for item in answer.output:
            if item.type == "function_call":
                found = str(find_order(4711))
                history.append({"type": "function_call_output", "call_id": item.call_id, "output": found})
        client.responses.create(model=MODEL, input=history, tools=tools)


def test_tools_that_run_at_the_provider(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(Answer.reply("response_server_tools"))
    tools: Any = [
        {"type": "web_search"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "image_generation"},
        {"type": "mcp", "server_label": "parcels", "server_url": "https://parcels.example", "authorization": "key"},
        {"type": "computer"},
    ]
    content: Any = [
        {"type": "input_text", "text": QUESTION},
        {"type": "input_image", "image_url": "https://parcels.example/4711.png", "detail": "auto"},
        {"type": "input_file", "file_id": "file-1"},
    ]
    with recording("openai_response_server_tools"):
        client.responses.create(model=MODEL, input=[{"role": "user", "content": content}], tools=tools)


@pytest.mark.parametrize("name", ["incomplete", "refusal", "failed"])
def test_an_answer_that_is_not_what_was_asked_for(
    recording: Recording, client: OpenAI, server: FakeProvider, name: str
) -> None:
    server.queue(Answer.reply(f"response_{name}"))
    with recording(f"openai_response_{name}"):
        client.responses.create(model=MODEL, input=QUESTION)


def test_an_answer_that_is_parsed(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(Answer.reply("response_json"))
    with recording("openai_response_parse"):
        answer = client.responses.parse(model=MODEL, input=QUESTION, text_format=Place)
        assert answer.output_parsed == Place(city="Rotterdam", day="Tuesday")


async def test_an_answer_that_is_parsed_by_the_async_client(
    recording: Recording, async_client: AsyncOpenAI, server: FakeProvider
) -> None:
    server.queue(Answer.reply("response_json"))
    with recording("openai_response_parse"):
        answer = await async_client.responses.parse(model=MODEL, input=QUESTION, text_format=Place)
        assert answer.output_parsed == Place(city="Rotterdam", day="Tuesday")


def test_a_call_that_is_refused(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(Answer.error(429, "Slow down.", code="rate_limit_exceeded"))
    with recording("openai_response_error"):
        with pytest.raises(openai.RateLimitError) as raised:
            client.responses.create(model=MODEL, input=QUESTION)
        recording.words[str(raised.value)] = "(the client's words)"


def test_azure(recording: Recording, server: FakeProvider) -> None:
    with (
        AzureOpenAI(api_key="k", api_version="2025-04-01-preview", azure_endpoint=server.url) as client,
        recording("openai_response_azure"),
    ):
        client.responses.create(model=MODEL, input=QUESTION)


# --- in the background ------------------------------------------------------------------------------------------------


def test_a_response_in_the_background(recording: Recording, client: OpenAI) -> None:
    with recording("openai_response_background"):
        begun = client.responses.create(model=MODEL, input=QUESTION, background=True)
        assert begun.status == "queued"
        assert client.responses.retrieve(begun.id).output_text == "The parcel left Rotterdam on Tuesday."


async def test_a_response_in_the_background_of_the_async_client(
    recording: Recording, async_client: AsyncOpenAI
) -> None:
    with recording("openai_response_background"):
        begun = await async_client.responses.create(model=MODEL, input=QUESTION, background=True)
        await async_client.responses.retrieve(begun.id)


def test_a_response_that_is_fetched(recording: Recording, client: OpenAI) -> None:
    with recording("openai_response_fetched"):
        client.responses.retrieve("resp_back_1")


def test_a_response_that_is_not_there(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(Answer.error(404, "No such response.", code="response_not_found"))
    with recording("openai_response_fetch_error"):
        with pytest.raises(openai.NotFoundError) as raised:
            client.responses.retrieve("resp_0")
        recording.words[str(raised.value)] = "(the client's words)"


def test_a_response_whose_stream_is_taken_up_again(recording: Recording, client: OpenAI) -> None:
    with recording("openai_response_fetched_stream"):
        stream = client.responses.retrieve("resp_back_1", stream=True, starting_after=2)
        assert [event.type for event in stream][-1] == "response.completed"


# --- streamed ---------------------------------------------------------------------------------------------------------


def test_a_stream(recording: Recording, client: OpenAI) -> None:
    with recording("openai_response_stream"):
        stream = client.responses.create(model=MODEL, input=QUESTION, stream=True)
        assert [event.type for event in stream][-1] == "response.completed"


def test_a_stream_whose_last_event_has_no_items(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    answer = read_reply("response_text")
    last = {"type": "response.completed", "response": {**answer, "output": []}}
    server.queue(Answer(events=[*response_events_of(answer)[:-1], response_event(last)]))
    with recording("openai_response_stream"):
        stream = client.responses.create(model=MODEL, input=QUESTION, stream=True)
        assert [event.type for event in stream][-1] == "response.completed"


async def test_a_stream_of_the_async_client(recording: Recording, async_client: AsyncOpenAI) -> None:
    with recording("openai_response_stream"):
        stream = await async_client.responses.create(model=MODEL, input=QUESTION, stream=True)
        assert [event.type async for event in stream][-1] == "response.completed"


def test_a_stream_by_the_clients_helper(recording: Recording, client: OpenAI) -> None:
    with recording("openai_response_stream"), client.responses.stream(model=MODEL, input=QUESTION) as stream:
        assert stream.get_final_response().output_text == "The parcel left Rotterdam on Tuesday."


async def test_a_stream_by_the_async_clients_helper(recording: Recording, async_client: AsyncOpenAI) -> None:
    with recording("openai_response_stream"):
        async with async_client.responses.stream(model=MODEL, input=QUESTION) as stream:
            assert (await stream.get_final_response()).status == "completed"


def test_a_stream_of_which_the_program_reads_the_lines_itself(recording: Recording, client: OpenAI) -> None:
    responses = client.responses.with_streaming_response
    with (
        recording("openai_response_stream"),
        responses.create(model=MODEL, input=QUESTION, stream=True) as response,
    ):
        assert "event: response.completed" in list(response.iter_lines())


def test_a_stream_that_the_program_leaves_after_the_answer_is_whole(recording: Recording, client: OpenAI) -> None:
    with (
        recording("openai_response_stream"),
        client.responses.create(model=MODEL, input=QUESTION, stream=True) as stream,
    ):
        for event in stream:
            if event.type == "response.completed":
                break


def test_a_stream_that_the_program_leaves(recording: Recording, client: OpenAI) -> None:
    with (
        recording("openai_response_stream_left"),
        client.responses.create(model=MODEL, input=QUESTION, stream=True) as stream,
    ):
        for event in stream:
            if event.type == "response.output_text.delta":
                break


def test_a_streamed_call_of_tools(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(stream_of("response_tools"))
    with recording("openai_response_stream_tools"):
        assert list(client.responses.create(model=MODEL, input=QUESTION, tools=[FIND_ORDER], stream=True))


def test_a_stream_whose_response_fails(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    server.queue(stream_of("response_failed"))
    with recording("openai_response_stream_failed"):
        events = list(client.responses.create(model=MODEL, input=QUESTION, stream=True))
        assert events[-1].type == "response.failed"


def test_a_stream_with_an_error_in_it(recording: Recording, client: OpenAI, server: FakeProvider) -> None:
    begun = response_events_of(read_reply("response_text"))[:4]
    error = {"type": "error", "code": "server_error", "message": "The server had an error.", "param": None}
    server.queue(Answer(events=[*begun, response_event({**error, "sequence_number": 4})]))
    with recording("openai_response_stream_error"):
        events = list(client.responses.create(model=MODEL, input=QUESTION, stream=True))
        assert events[-1].type == "error"
