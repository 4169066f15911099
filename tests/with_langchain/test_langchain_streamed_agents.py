"""Agents whose answers come in pieces: the same spans, whether they are drained or left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from opentelemetry import trace

import sentrial
from fake_provider import Answer, FakeProvider
from langchain_scenarios import OPENAI, QUESTION, TOOLS, Exported, Models
from sentrial.langchain import SentrialCallbackHandler

ASKED = {"messages": [("user", QUESTION)]}
AGENT = [
    "invoke_agent support-agent",
    "  chat gpt-4.1-mini",
    "  execute_tool find_order",
    "  execute_tool weather",
    "  chat gpt-4.1-mini",
]


def recorded() -> Any:
    """The config of a run that opens a session."""
    return {"callbacks": [SentrialCallbackHandler()]}


SYNC: dict[str, Callable[[Any], Iterator[Any]]] = {
    "stream": lambda agent: agent.stream(ASKED, recorded()),
    "stream of messages": lambda agent: agent.stream(ASKED, recorded(), stream_mode="messages"),
}
ASYNC: dict[str, Callable[[Any], AsyncIterator[Any]]] = {
    "astream": lambda agent: agent.astream(ASKED, recorded()),
    "astream of messages": lambda agent: agent.astream(ASKED, recorded(), stream_mode="messages"),
    "astream_events": lambda agent: agent.astream_events(ASKED, recorded(), version="v2"),
}


def agent_of(models: Models) -> Any:
    return create_agent(models.openai(streaming=True), list(TOOLS), name="support-agent")


def check_whole(exported: Exported) -> None:
    assert exported.tree == AGENT
    root = exported.one("invoke_agent support-agent")["attributes"]
    assert root["sentrial.session.outcome"] == "completed"
    assert root["gen_ai.usage.input_tokens"] == OPENAI.usage["input_tokens"]
    assert root["gen_ai.usage.output_tokens"] == OPENAI.usage["output_tokens"]
    for call in exported.named("chat gpt-4.1-mini"):
        assert call["attributes"]["gen_ai.request.stream"] is True
        assert call["attributes"]["sentrial.stream.end"] == "drained"
        assert 0 < call["attributes"]["gen_ai.response.time_to_first_chunk"] < 30
    assert exported.violations == []


def check_left(exported: Exported) -> None:
    """Of a run that was left in its first answer: what it was, and no error."""
    assert exported.tree == AGENT[:2]
    root, call = exported.spans
    assert root["attributes"]["sentrial.session.outcome"] in ("completed", "cancelled")
    assert (root["status_code"], call["status_code"]) == (0, 0)
    # The oldest LangGraph lets a model go on until its end.
    assert call["attributes"]["sentrial.stream.end"] in ("closed", "cancelled", "drained")
    assert exported.violations == []


@pytest.mark.parametrize("way", SYNC)
def test_a_stream_that_is_drained(server: FakeProvider, models: Models, exported: Exported, way: str) -> None:
    OPENAI.queue(server, stream=True)
    for _ in SYNC[way](agent_of(models)):
        # Between two pieces the program is at home.
        assert not trace.get_current_span().get_span_context().is_valid
    check_whole(exported)


@pytest.mark.parametrize("way", ASYNC)
async def test_an_asynchronous_stream_that_is_drained(
    server: FakeProvider, models: Models, exported: Exported, way: str
) -> None:
    OPENAI.queue(server, stream=True)
    async for _ in ASYNC[way](agent_of(models)):
        assert not trace.get_current_span().get_span_context().is_valid
    check_whole(exported)


@pytest.mark.parametrize("way", ["astream of messages", "astream_events"])
async def test_an_asynchronous_stream_that_is_broken_off(
    server: FakeProvider, models: Models, exported: Exported, way: str
) -> None:
    gate = server.hold(after=3)
    # LangGraph on Python 3.10 gives nothing before the model's end.
    asyncio.get_running_loop().call_later(2, gate.set)
    stream: Any = ASYNC[way](agent_of(models))
    async for piece in stream:
        if way != "astream_events" or piece["event"] == "on_chat_model_stream":
            break
    await stream.aclose()
    gate.set()
    check_left(exported)


def test_a_model_whose_stream_is_broken_off(server: FakeProvider, models: Models, exported: Exported) -> None:
    gate = server.hold(after=3)
    with sentrial.begin("user_1", "support-agent"):
        stream = models.openai().stream(QUESTION)
        next(stream)
        stream.close()
    gate.set()
    check_left(exported)


def test_a_stream_that_the_provider_breaks_off(server: FakeProvider, models: Models, exported: Exported) -> None:
    server.queue(Answer.stream(cut_after=3))
    with (
        pytest.raises(Exception, match=r"peer closed|incomplete|Connection error"),
        sentrial.begin("user_1", "support-agent"),
    ):
        list(models.openai().stream(QUESTION))
    assert exported.tree == AGENT[:2]
    call = exported.one("chat gpt-4.1-mini")
    assert (call["status_code"], call["attributes"]["sentrial.stream.end"]) == (2, "error")
    assert said_before(call).startswith("The parcel")
    assert exported.violations == []


def said_before(call: dict[str, Any]) -> str:
    """What had come."""
    (message,) = json.loads(call["attributes"]["gen_ai.output.messages"])
    return str(message["parts"][0]["content"])
