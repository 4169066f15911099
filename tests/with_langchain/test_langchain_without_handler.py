"""Zero code: one handler of ours in every run, until it is switched off; the program's own handler goes before it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManager
from langchain_core.tools import tool

import sentrial
from fake_provider import FakeProvider
from langchain_scenarios import OPENAI, QUESTION, TOOLS, Exported, Models
from receivers import OtlpHttpReceiver
from sentrial._frameworks.langchain.handler import RunHandler
from sentrial.instrumentors import LangChainInstrumentor
from sentrial.langchain import SentrialCallbackHandler

ASKED = {"messages": [("user", QUESTION)]}
RUN = ["chat gpt-4.1-mini", "execute_tool find_order", "execute_tool weather", "chat gpt-4.1-mini"]
AGENT = ["invoke_agent clerk", *(f"  {name}" for name in RUN)]


def handlers_of(config: Any = None) -> list[type]:
    """Those of ours in the callback manager that a run with ``config`` gets."""
    manager = CallbackManager.configure(inheritable_callbacks=config)
    return [type(handler) for handler in manager.handlers if isinstance(handler, RunHandler)]


@pytest.mark.usefixtures("collector")
def test_each_callback_manager_has_it_once_and_none_where_the_program_has_given_its_own() -> None:
    sentrial.configure()
    assert handlers_of() == [RunHandler]
    assert handlers_of(CallbackManager.configure()) == [RunHandler]
    assert handlers_of([SentrialCallbackHandler()]) == [SentrialCallbackHandler]


def test_what_is_under_way_when_it_is_switched_off_is_recorded_whole(
    server: FakeProvider, models: Models, exported: Exported
) -> None:
    @tool
    def find_order(number: int) -> str:
        """Find an order by its number."""
        LangChainInstrumentor().uninstrument()
        return f"order {number}"

    OPENAI.queue(server, times=3)
    agent = create_agent(models.openai(), [find_order, *TOOLS[1:]], name="clerk")
    with sentrial.begin("u", "clerk"):
        agent.invoke(ASKED)
    assert exported.tree == AGENT
    quiet = create_agent(models.openai(), list(TOOLS), name="clerk")
    with sentrial.begin("u", "quiet"):
        quiet.invoke(ASKED)
    # The model's client is still patched.
    assert exported.trees[1] == ["invoke_agent quiet", "  chat gpt-4.1-mini", "  chat gpt-4.1-mini"]
    LangChainInstrumentor().instrument()
    with sentrial.begin("u", "clerk"):
        quiet.invoke(ASKED)
    assert exported.trees[2] == AGENT


@pytest.mark.parametrize("how", ["call", "off"])
def test_the_setting_says_whether_a_run_in_no_session_begins_one(
    server: FakeProvider, models: Models, collector: OtlpHttpReceiver, exported: Exported, how: str
) -> None:
    sentrial.configure(otlp_endpoint=collector.url, auto_session=how)
    OPENAI.queue(server)
    create_agent(models.openai(), list(TOOLS), name="clerk").invoke(ASKED)
    if how == "call":
        assert exported.tree == AGENT
        assert exported.one("invoke_agent clerk")["attributes"]["sentrial.session.llm_calls"] == 2
    else:
        assert exported.trees == [["chat gpt-4.1-mini"], ["chat gpt-4.1-mini"]]
        assert all("sentrial.session.id" not in span["attributes"] for span in exported.spans)


def test_the_programs_own_handler_records_in_its_session(
    server: FakeProvider, models: Models, collector: OtlpHttpReceiver, exported: Exported
) -> None:
    sentrial.configure(otlp_endpoint=collector.url, auto_session="call")
    OPENAI.queue(server)
    handler = SentrialCallbackHandler(session_id=sentrial.begin("u", "clerk").session_id)
    create_agent(models.openai(), list(TOOLS), name="clerk").invoke(ASKED, {"callbacks": [handler]})
    handler.finish()
    assert exported.tree == AGENT
    assert handler.llm_calls == 2
