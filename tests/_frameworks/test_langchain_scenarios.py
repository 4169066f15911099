"""What the tests of LangChain stand on: real models and agents on the loopback server, and what they are charged."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage

import sentrial
from fake_provider import FakeProvider
from langchain_scenarios import (
    ANTHROPIC,
    GOOGLE,
    GOOGLE_STREAMS,
    OPENAI,
    QUESTION,
    TOOLS,
    Conversation,
    Exported,
    Models,
)

ALL = [("openai", OPENAI), ("anthropic", ANTHROPIC), ("google", GOOGLE)]
WHOLE = ALL if GOOGLE_STREAMS else ALL[:2]
ASKED = {"messages": [("user", QUESTION)]}


def check(conversation: Conversation, messages: list[Any]) -> None:
    """Asserts that ``messages`` are the whole conversation, and that LangChain counts what the server charges."""
    asked, *given, answered = (each for each in messages if isinstance(each, AIMessage | ToolMessage))
    assert [(call["name"], call["args"]) for call in asked.tool_calls] == list(conversation.calls)
    assert [each.content for each in given] == list(conversation.results)
    assert answered.text == conversation.answer
    usage = [each.usage_metadata for each in (asked, answered)]
    assert {
        "input_tokens": sum(each["input_tokens"] for each in usage),
        "output_tokens": sum(each["output_tokens"] for each in usage),
        "cache_read": sum(each.get("input_token_details", {}).get("cache_read", 0) for each in usage),
        "reasoning": sum(each.get("output_token_details", {}).get("reasoning", 0) for each in usage),
    } == conversation.usage


@pytest.mark.parametrize(("name", "conversation"), ALL)
def test_an_agent_asks_runs_its_tools_and_answers(
    server: FakeProvider, models: Models, name: str, conversation: Conversation
) -> None:
    conversation.queue(server)
    agent = create_agent(getattr(models, name)(), list(TOOLS))
    check(conversation, agent.invoke(ASKED)["messages"])
    assert len(server.requests) == 2


@pytest.mark.parametrize(("name", "conversation"), WHOLE)
async def test_it_does_so_asynchronously(
    server: FakeProvider, models: Models, name: str, conversation: Conversation
) -> None:
    conversation.queue(server)
    agent = create_agent(getattr(models, name)(), list(TOOLS))
    check(conversation, (await agent.ainvoke(ASKED))["messages"])


@pytest.mark.parametrize(("name", "conversation"), WHOLE)
def test_it_does_so_piece_by_piece(server: FakeProvider, models: Models, name: str, conversation: Conversation) -> None:
    conversation.queue(server, stream=True)
    agent = create_agent(getattr(models, name)(), list(TOOLS))
    pieces = list(agent.stream(ASKED, stream_mode=["messages", "values"]))
    check(conversation, pieces[-1][1]["messages"])
    assert [mode for mode, _ in pieces].count("messages") > 4


def test_what_is_exported_is_read_as_trees(server: FakeProvider, models: Models, exported: Exported) -> None:
    OPENAI.queue(server)
    agent = create_agent(models.openai(), list(TOOLS))
    with sentrial.begin("user_1", "support-agent"):
        agent.invoke(ASKED)
    assert exported.tree == ["invoke_agent support-agent"]
    assert exported.violations == []
