"""Agents of LangChain's, each span of theirs held against a checked-in list: see ``scenario``."""

from __future__ import annotations

from threading import Event

import pytest
from langchain.agents import create_agent
from langchain_core.tools import ToolException, tool

import sentrial
from fake_provider import Answer, FakeProvider
from langchain_scenarios import (
    ANTHROPIC,
    GOOGLE,
    GOOGLE_STREAMS,
    NAMED,
    OPENAI,
    QUESTION,
    TOOLS,
    Conversation,
    Exported,
    Models,
)
from langchain_scenarios.asking import Asking
from scenario import Recording
from sentrial.langchain import SentrialCallbackHandler

ASKED = {"messages": [("user", QUESTION)]}
SYSTEM = "You track parcels."
SETTINGS = {"max_tokens": 300, "temperature": 0.2, "top_p": 0.9}
THREAD = {"configurable": {"thread_id": "parcel-77"}}


@pytest.mark.parametrize(("provider", "conversation"), [("openai", OPENAI), ("anthropic", ANTHROPIC)])
def test_an_agent_with_tools_in_parallel(
    recording: Recording, server: FakeProvider, models: Models, provider: str, conversation: Conversation
) -> None:
    conversation.queue(server)
    agent = create_agent(getattr(models, provider)(**SETTINGS), list(TOOLS), system_prompt=SYSTEM, name="tracker")
    recording.words.update(NAMED)
    with recording(f"langchain_agent_{provider}"):
        agent.invoke(ASKED, THREAD)


@pytest.mark.parametrize(("provider", "conversation"), [("openai", OPENAI), ("anthropic", ANTHROPIC)])
async def test_an_asynchronous_agent_says_the_same_of_its_streams(
    recording: Recording, server: FakeProvider, models: Models, provider: str, conversation: Conversation
) -> None:
    conversation.queue(server, stream=True)
    model = getattr(models, provider)(**SETTINGS, streaming=True)
    agent = create_agent(model, list(TOOLS), system_prompt=SYSTEM, name="tracker")
    recording.words.update(NAMED)
    with recording(f"langchain_agent_{provider}_streamed"):
        await agent.ainvoke(ASKED, THREAD)


def test_an_agent_of_google(recording: Recording, server: FakeProvider, models: Models) -> None:
    GOOGLE.queue(server)
    agent = create_agent(models.google(**SETTINGS), list(TOOLS), system_prompt=SYSTEM, name="tracker")
    recording.words.update(NAMED)
    with recording("langchain_agent_google" if GOOGLE_STREAMS else "langchain_agent_google_before_4"):
        asked = agent.invoke(ASKED, THREAD)["messages"][1]
        # LangChain's own, where the API has none.
        recording.words.update({call["id"]: f"(the id of {call['name']})" for call in asked.tool_calls})


@tool
def find_order(number: int) -> str:
    """Find an order by its number."""
    raise ToolException(f"no order {number}")


@tool
def weather(city: str, days: list[int]) -> str:
    """What the weather will be."""
    return f"rain in {city}"


def test_a_tool_that_tells_the_model_of_its_failure(recording: Recording, server: FakeProvider, models: Models) -> None:
    OPENAI.queue(server)
    forgiving = find_order.model_copy(update={"handle_tool_error": True})
    agent = create_agent(models.openai(), [forgiving, weather])
    with recording("langchain_tool_error_handled"):
        agent.invoke(ASKED)
    (root,) = (span for span in recording.spans if span["parent_span_id"] is None)
    assert (root["attributes"]["sentrial.session.success"], root["status_code"]) == (True, 0)


def test_a_tool_whose_failure_ends_the_run(server: FakeProvider, models: Models, exported: Exported) -> None:
    begun = Event()

    @tool("weather")
    def slow_weather(city: str, days: list[int]) -> str:
        """What the weather will be."""
        begun.set()
        return f"rain in {city}"

    @tool("find_order")
    def failing(number: int) -> str:
        """Find an order by its number."""
        # The first failure keeps tools from running that have not begun.
        assert begun.wait(60)
        raise ToolException(f"no order {number}")

    server.queue(Answer.reply("chat_tools"))
    agent = create_agent(models.openai(), [failing, slow_weather], name="support-agent")
    with pytest.raises(ToolException, match="no order 4711"), sentrial.begin("user_1", "support-agent"):
        agent.invoke(ASKED)
    assert exported.tree == [
        "invoke_agent support-agent",
        "  chat gpt-4.1-mini",
        "  execute_tool find_order",
        "  execute_tool weather",
    ]
    failed, root = exported.one("execute_tool find_order"), exported.one("invoke_agent support-agent")
    assert (failed["status_code"], failed["status_message"]) == (2, "ToolException: no order 4711")
    assert failed["attributes"]["error.type"] == "langchain_core.tools.base.ToolException"
    assert exported.one("chat gpt-4.1-mini")["status_code"] == 0
    assert root["attributes"]["sentrial.session.outcome"] == "failed"
    assert root["status_code"] == 2
    assert exported.violations == []


@pytest.mark.filterwarnings("ignore:.* has been moved to `langchain.agents`")
def test_an_agent_of_langgraphs_own_may_have_a_hook_first(exported: Exported) -> None:
    from langgraph.prebuilt import create_react_agent

    agent = create_react_agent(Asking(), [], pre_model_hook=lambda state: {"llm_input_messages": state["messages"]})
    agent.invoke(ASKED, {"callbacks": [SentrialCallbackHandler()]})
    session, *below = exported.tree
    assert session.startswith("invoke_agent")
    assert below == ["  node pre_model_hook", "  chat"]
