"""Runs of tools, and the model call that asked for each: loops written by hand, over the real client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from fake_provider import Answer, FakeProvider, events_of, read_reply
from fake_provider.chat_stream import DONE, event

CALL: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is 4711?"}]}


@sentrial.tool
def find_order(number: int, country: str = "nl") -> str:
    """A tool with a default."""
    return f"{number} is in {country}"


@sentrial.tool
async def weather(city: str, days: list[int]) -> str:
    """A tool that waits."""
    await asyncio.sleep(0)
    return f"{city}: {days}"


@sentrial.tool("weather")
def weather_here(city: str, days: list[int]) -> str:
    """The same, at once."""
    return f"{city}: {days}"


@pytest.fixture
def model() -> Iterator[FakeProvider]:
    with FakeProvider() as model:
        yield model


@pytest.fixture
def patched() -> InMemorySpanExporter:
    """What an exporter of the application's own sees."""
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def client(model: FakeProvider, patched: InMemorySpanExporter) -> openai.OpenAI:
    return openai.OpenAI(api_key="sk-test", base_url=model.base_url, max_retries=0)


def asking(*calls: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    """A reply that asks for tools: id, name and arguments of each."""
    reply = read_reply("chat_tools")
    reply["choices"][0]["message"]["tool_calls"] = [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for call_id, name, arguments in calls
    ]
    return reply


def all_with_the_index_0(*calls: tuple[str, str, dict[str, Any]]) -> Answer:
    """The same as a stream of Gemini's, which asks for each call at once."""

    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
        return event({"id": "x", "model": "gemini-2.5-flash", "object": "chat.completion.chunk", "choices": choices})

    asked = asking(*calls)["choices"][0]["message"]["tool_calls"]
    pieces = [chunk({"tool_calls": [{"index": 0, **call}]}) for call in asked]
    return Answer(events=[*pieces, chunk({}, "tool_calls"), DONE])


def arguments_of(call: Any) -> dict[str, Any]:
    return dict(json.loads(call.function.arguments))


def found(exporter: InMemorySpanExporter, operation: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name.startswith(operation)]


def runs(exporter: InMemorySpanExporter) -> list[tuple[str, Any, list[int]]]:
    """Of each run of a tool its name, its id, and the positions of the model calls that it links to."""
    calls = [span.context.span_id for span in found(exporter, "chat ")]
    return [
        (
            span.name,
            (span.attributes or {}).get("gen_ai.tool.call.id"),
            [calls.index(link.context.span_id) for link in span.links],
        )
        for span in found(exporter, "execute_tool ")
    ]


@pytest.mark.parametrize("capture_content", [True, False])
def test_a_loop_by_hand_links_each_run_to_the_call_that_asked(
    client: openai.OpenAI,
    model: FakeProvider,
    patched: InMemorySpanExporter,
    capture_content: bool,
) -> None:
    sentrial.configure(capture_content=capture_content)
    model.queue(Answer.reply("chat_tools"), Answer.reply("chat_text"))
    with sentrial.begin("u", "support"):
        message = client.chat.completions.create(**CALL).choices[0].message
        assert message.tool_calls is not None
        for call in message.tool_calls:
            {"find_order": find_order, "weather": weather_here}[call.function.name](**arguments_of(call))
        client.chat.completions.create(**CALL)
    assert runs(patched) == [
        ("execute_tool find_order", "call_order", [0]),
        ("execute_tool weather", "call_weather", [0]),
    ]
    (link,) = found(patched, "execute_tool weather")[0].links
    assert dict(link.attributes or {}) == {"sentrial.link": "requested_by"}


async def test_tools_that_run_at_the_same_time_link_each_to_its_own_request(
    model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    asked = [(f"call_{city}", "weather", {"city": city, "days": [1]}) for city in ("Rome", "Oslo", "Bonn")]
    model.queue(Answer(body=asking(*asked)))
    async with openai.AsyncOpenAI(api_key="sk-test", base_url=model.base_url, max_retries=0) as client:
        with sentrial.begin("u", "support"):
            message = (await client.chat.completions.create(**CALL)).choices[0].message
            await asyncio.gather(*(weather(**arguments_of(call)) for call in reversed(message.tool_calls or [])))
    assert sorted(runs(patched)) == [("execute_tool weather", f"call_{city}", [0]) for city in ("Bonn", "Oslo", "Rome")]


def test_a_stream_that_asks_links_too(
    client: openai.OpenAI, model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    model.queue(Answer(events=events_of(read_reply("chat_tools"))))
    with sentrial.begin("u", "support"):
        list(client.chat.completions.create(**CALL, stream=True))
        find_order(4711)
    assert runs(patched) == [("execute_tool find_order", "call_order", [0])]


def test_calls_that_all_have_the_index_0_are_several_calls(
    client: openai.OpenAI, model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    calls = [(f"call_{number}", "find_order", {"number": number}) for number in (1, 2)]
    model.queue(all_with_the_index_0(*calls))
    with sentrial.begin("u", "support"):
        list(client.chat.completions.create(**CALL, stream=True))
        find_order(2)
        find_order(1)
    assert runs(patched) == [
        ("execute_tool find_order", "call_2", [0]),
        ("execute_tool find_order", "call_1", [0]),
    ]


def test_calls_that_have_no_ids_either_are_several_calls(
    client: openai.OpenAI, model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    model.queue(all_with_the_index_0(*(("", "find_order", {"number": number}) for number in (1, 2))))
    with sentrial.begin("u", "support"):
        list(client.chat.completions.create(**CALL, stream=True))
        for number in (2, 1, 3):
            find_order(number)
    assert [linked for _, _, linked in runs(patched)] == [[0], [0], []]


def test_a_run_links_to_a_response_whose_last_event_has_no_items(
    client: openai.OpenAI, model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    asked = {"type": "function_call", "id": "fc_1", "call_id": "call_9", "name": "find_order"}
    item = {**asked, "arguments": '{"number": 4711}', "status": "completed"}
    head: dict[str, Any] = {"id": "resp_1", "object": "response", "model": "gpt-5", "output": []}
    events = [
        {"type": "response.created", "response": {**head, "status": "in_progress"}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {**head, "status": "completed"}},
    ]
    model.queue(Answer(events=list(map(event, events))))
    body = {"model": "gpt-5", "input": "Where is 4711?", "stream": True}
    with sentrial.begin("u", "support"):
        # As the oldest clients, which know no responses, can ask for one.
        list(client.post("/responses", cast_to=object, body=body, stream=True, stream_cls=openai.Stream[object]))
        find_order(4711)
    assert runs(patched) == [("execute_tool find_order", "call_9", [0])]


def test_a_run_links_to_a_stream_that_is_still_open(
    client: openai.OpenAI, model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    model.queue(Answer(events=events_of(read_reply("chat_tools"))))
    with sentrial.begin("u", "support"):
        for chunk in client.chat.completions.create(**CALL, stream=True):
            if chunk.choices and chunk.choices[0].finish_reason == "tool_calls":
                find_order(4711)
        find_order(4711)
    assert runs(patched) == [
        ("execute_tool find_order", "call_order", [0]),
        ("execute_tool find_order", None, []),
    ]


def test_runs_with_equal_arguments_link_and_leave_open_which_is_which(
    client: openai.OpenAI, model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    model.queue(Answer(body=asking(*((f"call_{number}", "find_order", {"number": 1}) for number in range(2)))))
    with sentrial.begin("u", "support"):
        client.chat.completions.create(**CALL)
        for _ in range(3):
            find_order(1)
    assert runs(patched) == [
        ("execute_tool find_order", None, [0]),
        ("execute_tool find_order", None, [0]),
        ("execute_tool find_order", None, []),
    ]


def test_a_turn_that_asks_the_same_again_is_the_one_that_is_linked_to(
    client: openai.OpenAI, model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    model.queue(*(Answer(body=asking((f"call_{turn}", "find_order", {"number": 1}))) for turn in range(2)))
    with sentrial.begin("u", "support"):
        for _ in range(2):
            client.chat.completions.create(**CALL)
            find_order(number=1)
    assert runs(patched) == [("execute_tool find_order", "call_0", [0]), ("execute_tool find_order", "call_1", [1])]


def test_two_answers_that_ask_for_the_very_same_leave_it_open(
    client: openai.OpenAI, model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    model.queue(*(Answer(body=asking((f"call_{turn}", "find_order", {"number": 1}))) for turn in range(2)))
    with sentrial.begin("u", "support"):
        client.chat.completions.create(**CALL)
        client.chat.completions.create(**CALL)
        find_order(1)
    assert runs(patched) == [("execute_tool find_order", None, [])]


def test_what_the_program_runs_of_its_own_accord_links_to_nothing(
    client: openai.OpenAI, model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    model.queue(Answer.reply("chat_tools"))
    with sentrial.begin("u", "support"):
        client.chat.completions.create(**CALL)
        find_order(12)
        weather_here("Paris", [1, 2])
    with sentrial.begin("u", "support"):
        find_order(4711)
    assert [linked for _, _, linked in runs(patched)] == [[], [], []]


def test_a_live_tool_call_without_an_id_links_by_its_input(
    client: openai.OpenAI, model: FakeProvider, patched: InMemorySpanExporter
) -> None:
    model.queue(Answer.reply("chat_tools"))
    with sentrial.begin("u", "support") as interaction:
        message = client.chat.completions.create(**CALL).choices[0].message
        for call in message.tool_calls or []:
            with interaction.tool(call.function.name, arguments_of(call)):
                pass
    assert runs(patched) == [
        ("execute_tool find_order", "call_order", [0]),
        ("execute_tool weather", "call_weather", [0]),
    ]
