"""The tool runner: a span for each turn of the model, and one for each run of a tool, of whichever kind it is."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.lib.browser import BrowserToolset
from openai.lib.computer import ComputerToolset
from openai.lib.responses_tool_runner import (
    AsyncRegisteredFunction,
    AsyncResponsesToolRunner,
    RegisteredFunction,
    ResponsesToolRunner,
    ToolRunnerError,
)
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from fake_provider import Answer, FakeProvider, read_reply
from fake_provider.response_stream import response_events_of
from scenario import Recording
from sentrial.wrappers import wrap_openai

ASK: dict[str, Any] = {"model": "gpt-5-mini", "input": [{"role": "user", "content": "Where is order 4711?"}]}
FIND_ORDER: Any = {
    "type": "function",
    "name": "find_order",
    "description": "Where an order is.",
    "parameters": {
        "type": "object",
        "properties": {"number": {"type": "integer"}},
        "required": ["number"],
        "additionalProperties": False,
    },
    "strict": True,
}
PICTURE = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()


def function_call(name: str, call_id: str, **arguments: Any) -> dict[str, Any]:
    said = json.dumps(arguments)
    return {
        "id": f"fc_{call_id}", "type": "function_call", "status": "completed",
        "call_id": call_id, "name": name, "arguments": said,
    }  # fmt: skip


ASKED = function_call("find_order", "call_1", number=4711)


def turn(*items: dict[str, Any]) -> dict[str, Any]:
    return {**read_reply("response_tools"), "output": list(items)}


def last_turn() -> dict[str, Any]:
    reply = read_reply("response_text")
    return {**reply, "output": [item for item in reply["output"] if item["type"] == "message"]}


def plain(*items: dict[str, Any]) -> list[Answer]:
    return [Answer(body=turn(*items)), Answer(body=last_turn())]


def streamed(*items: dict[str, Any]) -> list[Answer]:
    return [Answer(events=response_events_of(reply)) for reply in (turn(*items), last_turn())]


def find_order(arguments: dict[str, Any]) -> str:
    return f"{arguments['number']} is in Rotterdam"


async def find_order_async(arguments: dict[str, Any]) -> str:
    await asyncio.sleep(0)
    return find_order(arguments)


def lose_order(arguments: dict[str, Any]) -> str:
    raise LookupError(f"no order {arguments['number']}")


@sentrial.tool("find_order")
def find_order_decorated(arguments: dict[str, Any]) -> str:
    return find_order(arguments)


class Screen:
    """A computer that does whatever it is asked for, and shows one picture."""

    def __getattr__(self, member: str) -> Any:
        return lambda action: None

    def screenshot(self) -> Any:
        return {"type": "computer_screenshot", "image_url": PICTURE}


class Browser:
    """A browser with one tab."""

    def state(self) -> Any:
        return {"tabs": [{"id": "t1", "title": "Orders", "url": "https://orders.example/", "active": True}]}

    def read_page(self, action: Any) -> str:
        raise OSError("the tab is gone")


@pytest.fixture
def client(server: FakeProvider) -> Iterator[OpenAI]:
    with OpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        yield client


def tree_of(recording: Recording) -> list[tuple[str, str]]:
    """Each span below the root with the name of its parent, in the order in which they began."""
    names = {span["span_id"]: span["name"] for span in recording.spans}
    spans = sorted(recording.spans, key=lambda span: span["start_ns"])
    return [(names[span["parent_span_id"]], span["name"]) for span in spans if span["parent_span_id"] in names]


def tree(*tools: str) -> list[tuple[str, str]]:
    agent = "invoke_agent support-agent"
    return [(agent, name) for name in ("chat gpt-5-mini", *(f"execute_tool {tool}" for tool in tools))]


LAST = tree()
FOUND = [*tree("find_order"), *LAST]


def test_turns_and_tools(client: OpenAI, server: FakeProvider, recording: Recording) -> None:
    server.queue(*plain(ASKED))
    with recording("openai_tool_runner"):
        runner = ResponsesToolRunner(functions=[RegisteredFunction(FIND_ORDER, find_order)])
        assert runner.run(client, dict(ASK), max_steps=3).output_text
    assert tree_of(recording) == FOUND


def test_turns_that_are_streamed(client: OpenAI, server: FakeProvider, recording: Recording) -> None:
    server.queue(*streamed(ASKED))
    with recording("openai_tool_runner_stream"):
        runner = ResponsesToolRunner(functions=[RegisteredFunction(FIND_ORDER, find_order)])
        assert runner.run(client, dict(ASK), max_steps=3, stream=True).output_text
    assert tree_of(recording) == FOUND


def test_tools_that_run_on_threads_while_the_turn_is_streamed(
    client: OpenAI, server: FakeProvider, recording: Recording
) -> None:
    server.queue(*streamed(ASKED))
    with recording("openai_tool_runner_stream"):
        function = RegisteredFunction(FIND_ORDER, find_order, independent=True)
        runner = ResponsesToolRunner(functions=[function], early_execution={"functions": ["find_order"]})
        assert runner.run(client, dict(ASK), max_steps=3, stream=True, eager=True).output_text
    assert tree_of(recording) == FOUND


def test_a_tool_that_fails(client: OpenAI, server: FakeProvider, recording: Recording) -> None:
    server.queue(*plain(ASKED))
    with recording("openai_tool_runner_error", conversation="conv_7"):
        runner = ResponsesToolRunner(functions=[RegisteredFunction(FIND_ORDER, lose_order)])
        with pytest.raises(ToolRunnerError):
            runner.run(client, dict(ASK), max_steps=3)
    assert tree_of(recording) == tree("find_order")


def test_a_call_in_a_tool_is_below_the_tool(client: OpenAI, server: FakeProvider, recording: Recording) -> None:
    def ask(arguments: dict[str, Any]) -> str:
        return client.responses.create(model="inside", input="Where?").output_text

    asked, answered = plain(ASKED)
    server.queue(asked, Answer(body=last_turn()), answered)
    with recording("openai_tool_runner_nested"):
        ResponsesToolRunner(functions=[RegisteredFunction(FIND_ORDER, ask)]).run(client, dict(ASK), max_steps=3)
    assert tree_of(recording) == [*tree("find_order"), ("execute_tool find_order", "chat inside"), *LAST]


def test_only_the_tools_that_a_wrapped_client_has_asked_for_are_recorded(client: OpenAI, server: FakeProvider) -> None:
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    sentrial.configure(instrument=[], store=False)
    runner = ResponsesToolRunner(functions=[RegisteredFunction(FIND_ORDER, find_order)])
    with OpenAI(api_key="sk-test", base_url=server.base_url) as ours, sentrial.begin("u", "agent"):
        wrap_openai(ours)
        server.queue(*plain(ASKED), *plain(ASKED))
        runner.run(client, dict(ASK), max_steps=3)
        assert exporter.get_finished_spans() == ()
        runner.run(ours, dict(ASK), max_steps=3)
    names = [span.name for span in exporter.get_finished_spans()]
    assert names == ["chat gpt-5-mini", "execute_tool find_order", "chat gpt-5-mini", "invoke_agent agent"]


def test_a_tool_that_is_decorated_is_recorded_once(client: OpenAI, server: FakeProvider, recording: Recording) -> None:
    server.queue(*plain(ASKED))
    with recording("openai_tool_runner_decorated"):
        runner = ResponsesToolRunner(functions=[RegisteredFunction(FIND_ORDER, find_order_decorated)])
        assert runner.run(client, dict(ASK), max_steps=3).output_text
    assert tree_of(recording) == FOUND


async def test_async_turns_and_tools(server: FakeProvider, recording: Recording) -> None:
    server.queue(*plain(ASKED))
    async with AsyncOpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        with recording("openai_tool_runner"):
            runner = AsyncResponsesToolRunner(functions=[AsyncRegisteredFunction(FIND_ORDER, find_order_async)])
            assert (await runner.run(client, dict(ASK), max_steps=3)).output_text
    assert tree_of(recording) == FOUND


async def test_async_tools_that_run_while_the_turn_is_streamed(server: FakeProvider, recording: Recording) -> None:
    server.queue(*streamed(ASKED))
    async with AsyncOpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as client:
        with recording("openai_tool_runner_stream"):
            function = AsyncRegisteredFunction(FIND_ORDER, find_order_async, independent=True)
            runner = AsyncResponsesToolRunner(functions=[function], early_execution={"functions": ["find_order"]})
            assert (await runner.run(client, dict(ASK), max_steps=3, stream=True, eager=True)).output_text
    assert tree_of(recording) == FOUND


def test_a_browser(client: OpenAI, server: FakeProvider, recording: Recording) -> None:
    server.queue(
        Answer(body=turn(function_call("browser_list_tabs", "call_1"))),
        *plain(
            function_call("browser_read_page", "call_2", tab_id="t1", filter="all"),
            function_call("browser_list_tabs", "call_3"),
        ),
    )
    with recording("openai_tool_runner_browser"):
        runner = ResponsesToolRunner(browser=BrowserToolset(Browser()))
        assert runner.run(client, dict(ASK), max_steps=4).output_text
    # The last of the three is not made: the one before it has failed.
    assert tree_of(recording) == [*tree("browser_list_tabs"), *tree("browser_read_page"), *LAST]


def test_a_computer(client: OpenAI, server: FakeProvider, recording: Recording) -> None:
    click = {"type": "click", "button": "left", "x": 1, "y": 2}
    asked = {"id": "cu_1", "type": "computer_call", "status": "completed", "call_id": "call_1", "actions": [click]}
    server.queue(*plain({**asked, "pending_safety_checks": []}))
    with recording("openai_tool_runner_computer"):
        runner = ResponsesToolRunner(computer=ComputerToolset(Screen()))
        assert runner.run(client, dict(ASK), max_steps=3).output_text
    assert tree_of(recording) == [*tree("computer"), *LAST]
