"""Handlers as programs make them: what they are given, what they are asked to be, and where they travel."""

from __future__ import annotations

import asyncio
import logging
import pickle
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.agents import AgentAction, AgentFinish
from langchain_core.callbacks import CallbackManager
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import tool

import sentrial
from langchain_scenarios import QUESTION, Exported
from langchain_scenarios.asking import INPUT, OUTPUT, Asking
from sentrial import AsyncSentrialClient, SentrialClient
from sentrial._frameworks.langchain.handler import RunHandler
from sentrial.langchain import SentrialCallbackHandler, get_agent_executor

KEY = "sentrial_live_0123456789"
CALL = ["  chat"]


def ask(handler: SentrialCallbackHandler, **config: Any) -> None:
    Asking().invoke(QUESTION, {"callbacks": [handler], **config})


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "sentrial" and record.levelno >= logging.WARNING
    ]


# --- the client, and the session -------------------------------------------------------------------------------------


def swapped() -> tuple[Any, ...]:
    client = SentrialClient()
    return client.create_session("n", "swapped", "ann"), client


WRONG: dict[str, tuple[Callable[[], tuple[Any, ...]], str]] = {
    "swapped": (swapped, "'[0-9a-f]{32}-[0-9a-f]{16}'"),
    "the id alone": (lambda: swapped()[:1], "'[0-9a-f]{32}-[0-9a-f]{16}'"),
    "a key": (lambda: (KEY,), "a text"),
    "a session": (lambda: (sentrial.begin("ann", "begun"),), "<sentrial.interaction.Interaction object.*>"),
}


@pytest.mark.parametrize(("given", "named"), WRONG.values(), ids=WRONG)
def test_what_is_no_client_is_said_once_and_not_used(
    exported: Exported, caplog: pytest.LogCaptureFixture, given: Callable[[], tuple[Any, ...]], named: str
) -> None:
    handler = SentrialCallbackHandler(*given())
    (line,) = said(caplog)
    assert line.startswith("sentrial: the client of a SentrialCallbackHandler is ")
    assert re.search(rf" is {named}, and not used: give SentrialClient\(...\), then ", line)
    assert KEY not in line
    ask(handler)
    assert handler.finish() == {}
    assert handler.llm_calls == 1
    assert len(exported.named("chat")) == 1
    assert len(said(caplog)) == 1


def test_who_wants_to_hear_of_it_hears_it_when_the_handler_is_made() -> None:
    number: Any = 7
    sentrial.configure(store=False, fail_silently=False)
    with pytest.raises(ValueError, match=r"is 7, and not used: give SentrialClient\(...\), then the session id"):
        SentrialCallbackHandler(number)
    client = SentrialClient(fail_silently=False)
    with pytest.raises(ValueError, match=r"'123' is no session id: give what create_session\(\) returned, or begin"):
        SentrialCallbackHandler(client, "123")
    sentrial.shutdown(5)


@pytest.mark.parametrize("session_id", [123, "123", "", [], object()], ids=["number", "text", "empty", "list", "any"])
def test_what_is_no_session_id_is_said_once_and_counts_as_not_given(
    exported: Exported, caplog: pytest.LogCaptureFixture, session_id: Any
) -> None:
    handler = SentrialCallbackHandler(SentrialClient(), session_id)
    (line,) = said(caplog)
    assert "is no session id: give what create_session() returned, or begin(...).session_id." in line
    with sentrial.begin("ann", "support"):
        ask(handler)
    ask(handler, run_name="alone")
    assert exported.trees == [["invoke_agent support", *CALL], ["invoke_agent alone", *CALL]]
    assert handler.finish() == {}
    assert len(said(caplog)) == 1


async def test_the_asynchronous_client_and_its_sessions_will_do(
    exported: Exported, caplog: pytest.LogCaptureFixture
) -> None:
    client = AsyncSentrialClient()
    handler = SentrialCallbackHandler(client, await client.create_session("n", "by id", "ann"))
    begun = await client.begin("ann", "begun")
    other = SentrialCallbackHandler(client, begun)
    for each in (handler, other):
        await Asking().ainvoke(QUESTION, {"callbacks": [each]})
    assert handler.client is client
    assert handler.finish()["status"] == "completed"
    assert (await begun.finish())["status"] == "completed"
    assert sorted(exported.trees) == [["invoke_agent begun", *CALL], ["invoke_agent by id", *CALL]]
    assert said(caplog) == []


def test_what_begin_returned_stands_for_its_id(exported: Exported) -> None:
    session = sentrial.begin("ann", "begun")
    handler = SentrialCallbackHandler(SentrialClient(), session)
    with sentrial.begin("bob", "another"):
        ask(handler)
    assert handler.finish()["id"] == session.session_id
    assert sorted(exported.trees) == [["invoke_agent another"], ["invoke_agent begun", *CALL]]


def test_the_name_of_a_models_run_names_its_session(exported: Exported) -> None:
    ask(SentrialCallbackHandler(), run_name="summary")
    assert exported.tree == ["invoke_agent summary", *CALL]


# --- one handler twice -----------------------------------------------------------------------------------------------


class Broken(Asking):
    """Streams by itself, and tells what it has used before it breaks off."""

    streaming: bool = False

    def _stream(self, messages: Any, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        usage = {"input_tokens": INPUT, "output_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT}
        yield ChatGenerationChunk(message=AIMessageChunk("It is "))
        yield ChatGenerationChunk(message=AIMessageChunk("in ", usage_metadata=usage))
        raise OSError("gone")


def test_what_of_a_stream_is_told_twice_is_one_piece(exported: Exported) -> None:
    handler = SentrialCallbackHandler()
    with pytest.raises(OSError, match="gone"):
        Broken(streaming=True).invoke(QUESTION, {"callbacks": [handler, handler]})
    call = exported.one("chat")["attributes"]
    assert '"It is in "' in call["gen_ai.output.messages"]
    assert (call["gen_ai.usage.input_tokens"], call["gen_ai.usage.output_tokens"]) == (INPUT, OUTPUT)
    assert (handler.llm_calls, handler.total_tokens) == (1, INPUT + OUTPUT)


@tool
def find_order(number: int) -> str:
    """Find an order by its number."""
    return f"order {number}"


# It is of LangChain's own past.
@pytest.mark.filterwarnings("ignore:`langchain-community` is being sunset")
@pytest.mark.parametrize("twice", [True, False], ids=["one twice", "two"])
def test_what_an_older_agent_chose_is_told_twice_and_chosen_once(exported: Exported, twice: bool) -> None:
    one = SentrialCallbackHandler()
    other = one if twice else SentrialCallbackHandler()
    pending: list[int] = []

    def choose(state: dict[str, Any]) -> AgentAction | AgentFinish:
        pending.append(sum(map(len, one.pending_actions.values())))
        if state["intermediate_steps"]:
            return AgentFinish({"output": "done"}, "")
        return AgentAction("find_order", {"number": 7}, "")

    executor = get_agent_executor()(agent=RunnableLambda(choose), tools=[find_order])
    executor.invoke({"input": QUESTION}, {"callbacks": [one, other]})
    assert (one.step_count, other.step_count, pending) == (1, 1, [0, 0])
    assert len(exported.named("execute_tool find_order")) == 1


# --- what LangChain takes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_id_of_a_run_may_be_a_text(exported: Exported, asynchronous: bool) -> None:
    handler = SentrialCallbackHandler()

    def invoke(what: Any, given: Any) -> None:
        config: Any = {"callbacks": [handler], "run_id": str(uuid4()), "run_name": "named"}
        if asynchronous:
            asyncio.run(what.ainvoke(given, config))
        else:
            what.invoke(given, config)

    invoke(Asking(), QUESTION)
    invoke(find_order, {"number": 7})
    assert exported.trees == [
        ["invoke_agent named", *CALL],
        ["invoke_agent find_order", "  execute_tool find_order"],
    ]


def test_a_program_may_say_whether_errors_of_the_handler_are_raised(exported: Exported) -> None:
    handler = SentrialCallbackHandler()
    assert handler.raise_error, "as failures of ours are raised in tests"
    handler.raise_error = False
    ask(handler)
    assert not handler.raise_error
    assert len(exported.named("chat")) == 1


# --- elsewhere -------------------------------------------------------------------------------------------------------


def test_a_handler_arrives_as_it_was_made(exported: Exported) -> None:
    handler = SentrialCallbackHandler(SentrialClient(), sentrial.begin("ann", "support").session_id, False)
    ask(handler)
    arrived = pickle.loads(pickle.dumps(Asking(callbacks=[handler]))).callbacks[0]
    assert (arrived.session_id, arrived.track_llm_calls, arrived.llm_calls) == (handler.session_id, False, 0)
    ask(arrived)
    assert (handler.llm_calls, arrived.llm_calls) == (1, 1)
    arrived.finish()
    assert exported.one("invoke_agent support")["attributes"]["sentrial.session.llm_calls"] == 2


def test_a_config_can_be_sent_elsewhere_where_all_is_recorded(exported: Exported) -> None:
    def send(given: str, config: RunnableConfig) -> None:
        arrived = pickle.loads(pickle.dumps(dict(config)))
        assert [type(handler) for handler in arrived["callbacks"].handlers] == [RunHandler]
        assert len(CallbackManager.configure(arrived["callbacks"]).handlers) == 1
        find_order.invoke({"number": 7}, arrived)

    with sentrial.begin("ann", "support"):
        RunnableLambda(send).invoke(QUESTION)
    assert exported.tree == ["invoke_agent support", "  invoke_workflow send", "    execute_tool find_order"]
