"""The older SDK's functions around LangChain: agents made by them, and what they say where a package is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.prompts import ChatPromptTemplate

from fake_provider import Answer, FakeProvider
from langchain_scenarios import OPENAI, QUESTION, TOOLS, Exported, Models
from sentrial import SentrialClient
from sentrial.langchain import (
    LANGCHAIN_MAJOR_VERSION,
    LANGCHAIN_VERSION,
    SentrialCallbackHandler,
    create_agent_with_sentrial,
    get_agent_executor,
    get_openai_tools_agent_creator,
    get_react_agent,
)

TREE = [
    "invoke_agent tracker",
    "  chat gpt-4.1-mini",
    "  execute_tool find_order",
    "  execute_tool weather",
    "  chat gpt-4.1-mini",
]


def test_each_call_of_an_agent_with_sentrial_is_a_session(
    server: FakeProvider, models: Models, exported: Exported
) -> None:
    OPENAI.queue(server, times=2)
    agent = create_agent_with_sentrial(models.openai(), list(TOOLS), SentrialClient(), "tracker", user_id="ann")
    assert [agent(QUESTION), agent(QUESTION)] == [OPENAI.answer] * 2
    assert [sorted(tree) for tree in exported.trees] == [sorted(TREE)] * 2
    for root in exported.named("invoke_agent tracker"):
        found = root["attributes"]
        assert (found["input.value"], found["output.value"], found["user.id"]) == (QUESTION, OPENAI.answer, "ann")
        assert found["sentrial.session.outcome"] == "completed"
        assert found["gen_ai.usage.input_tokens"] == OPENAI.usage["input_tokens"]
        assert found["gen_ai.usage.output_tokens"] == OPENAI.usage["output_tokens"]


def test_nobody_named_is_the_older_sdks_nobody(server: FakeProvider, models: Models, exported: Exported) -> None:
    server.queue(Answer.reply())
    create_agent_with_sentrial(models.openai(), [], SentrialClient(), "tracker")(QUESTION)
    assert exported.one("invoke_agent tracker")["attributes"]["user.id"] == "anonymous"


def test_what_an_agent_with_sentrial_raises_fails_its_session(
    server: FakeProvider, models: Models, exported: Exported
) -> None:
    server.queue(Answer.error(500))
    agent = create_agent_with_sentrial(models.openai(), list(TOOLS), SentrialClient(), "tracker")
    with pytest.raises(Exception, match="500"):
        agent(QUESTION)
    root = exported.one("invoke_agent tracker")
    assert (root["attributes"]["sentrial.session.outcome"], root["status_code"]) == ("failed", 2)


def executor(models: Models) -> Any:
    prompt = ChatPromptTemplate([("user", "{input}"), ("placeholder", "{agent_scratchpad}")])
    agent = get_openai_tools_agent_creator()(models.openai(), list(TOOLS), prompt)
    return get_agent_executor()(agent=agent, tools=list(TOOLS), stream_runnable=False)


def react_agent(models: Models) -> Any:
    return get_react_agent()(models.openai(), list(TOOLS))


@pytest.mark.parametrize(
    ("make", "given"), [(executor, {"input": QUESTION}), (react_agent, {"messages": [("user", QUESTION)]})]
)
# Both are of LangChain's own past.
@pytest.mark.filterwarnings(
    "ignore:.* has been moved to `langchain.agents`", "ignore:`langchain-community` is being sunset"
)
def test_agents_of_the_older_kinds_are_recorded_by_the_handler(
    server: FakeProvider, models: Models, exported: Exported, make: Callable[[Models], Any], given: dict[str, Any]
) -> None:
    OPENAI.queue(server)
    client = SentrialClient()
    handler = SentrialCallbackHandler(client, client.create_session("Where is it", "tracker", "ann"))
    make(models).invoke(given, {"callbacks": [handler]})
    handler.finish()
    assert sorted(exported.tree) == sorted(TREE)
    assert handler.assistant_output == OPENAI.answer
    assert (handler.llm_calls, handler.total_tokens) == (2, 1290 + 79)


def test_the_version_is_said_as_the_older_sdk_said_it() -> None:
    assert (LANGCHAIN_VERSION, LANGCHAIN_MAJOR_VERSION) == ("core-1.x", 1)


@pytest.mark.parametrize(
    ("module", "call", "said"),
    [
        ("langchain_classic.agents", get_agent_executor, "AgentExecutor .* pip install 'langchain-classic'"),
        (
            "langchain_classic.agents",
            get_openai_tools_agent_creator,
            "create_openai_tools_agent .* pip install 'langchain-classic'",
        ),
        ("langgraph.prebuilt", get_react_agent, "create_react_agent .* pip install 'langgraph'"),
        (
            "langchain.agents",
            lambda: create_agent_with_sentrial(None, [], SentrialClient(), "tracker"),
            "create_agent .* pip install 'langchain>=1'",
        ),
    ],
)
def test_where_a_package_is_missing_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: str, call: Callable[[], object], said: str
) -> None:
    # As Python marks a module that cannot be imported.
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=said):
        call()
