"""Ends that LangChain tells nobody: a handler of the program's raises, a person presses Ctrl-C, a client goes away.

What begins afterwards on the same thread is not inside of what is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, CallbackManager
from langchain_core.language_models import FakeListLLM
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from opentelemetry import trace

import sentrial
from langchain_scenarios import QUESTION, Exported
from langchain_scenarios.asking import OUTPUT, Asking, Streaming
from receivers import OtlpHttpReceiver
from sentrial.langchain import SentrialCallbackHandler

OUTCOME = "sentrial.session.outcome"


@pytest.fixture(autouse=True)
def nobody_complains(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """LangChain logs what the program's own handlers raise, and nothing else."""
    yield
    said = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    assert [message for message in said if not message.startswith("Error in Program")] == []


class ProgramRefuses(BaseCallbackHandler):
    """A handler of the program's that lets nothing through."""

    raise_error = True

    def refuse(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("not allowed")

    on_chat_model_start = on_llm_start = on_tool_start = on_retriever_start = on_chain_start = refuse


class ProgramHasNoMore(BaseCallbackHandler):
    """One that refuses what has come."""

    raise_error = True

    def refuse(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("the budget is used up")

    on_llm_end = on_tool_end = on_retriever_end = on_chain_end = refuse


class Finding(BaseRetriever):
    """Finds nothing, or is interrupted."""

    interrupted: bool = False

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
        if self.interrupted:
            raise KeyboardInterrupt
        return []


@tool
def add(a: int) -> int:
    """Add one."""
    return a + 1


@tool
def leave() -> None:
    """Leave the program."""
    raise SystemExit(1)


Run = Callable[[Any], object]

RUNS: dict[str, Run] = {
    "chat": lambda config: Asking().invoke(QUESTION, config),
    "stream": lambda config: list(Streaming().stream(QUESTION, config)),
    "completion": lambda config: FakeListLLM(responses=["hello"]).invoke(QUESTION, config),
    "tool": lambda config: add.invoke({"a": 1}, config),
    "retriever": lambda config: Finding().invoke(QUESTION, config),
    "chain": lambda config: (RunnableLambda(str) | RunnableLambda(len)).invoke(QUESTION, config),
    "lambda": lambda config: RunnableLambda(len).invoke(QUESTION, config),
}

each_run = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def helper(node: Callable[[Any], Any]) -> Any:
    """A graph of one node."""
    return StateGraph(MessagesState).add_node("node", node).add_edge(START, "node").compile(name="helper")


def outcomes(exported: Exported) -> list[tuple[str, str]]:
    """Of each session its user and how it ended."""
    sessions = [span["attributes"] for span in exported.spans if OUTCOME in span["attributes"]]
    return [(session["user.id"], session[OUTCOME]) for session in sessions]


def ask(user: str, run: Run, *callbacks: Any) -> None:
    """A request of ``user``, who gets an answer or none."""
    with contextlib.suppress(RuntimeError, KeyboardInterrupt, SystemExit):
        run({"callbacks": list(callbacks), "metadata": {"user_id": user}})


@each_run
def test_who_comes_after_a_refused_start_on_the_same_thread_has_a_session_of_their_own(
    exported: Exported, run: Run
) -> None:
    with ThreadPoolExecutor(1) as pool:
        for user in ("zoe", "ann", "bob", "cid"):
            refusing = [ProgramRefuses()] if user == "ann" else []
            pool.submit(ask, user, run, SentrialCallbackHandler(), *refusing).result()
    found = outcomes(exported)
    assert found == [("zoe", "completed"), ("ann", "cancelled"), ("bob", "completed"), ("cid", "completed")]


@each_run
def test_so_has_who_comes_while_the_program_keeps_what_was_raised(exported: Exported, run: Run) -> None:
    def serve(user: str) -> None:
        callbacks = [SentrialCallbackHandler(), *([ProgramRefuses()] if user == "ann" else [])]
        run({"callbacks": callbacks, "metadata": {"user_id": user}})

    users = ["zoe", "ann", "bob", "cid"]
    with ThreadPoolExecutor(1) as pool:
        served = [pool.submit(serve, user) for user in users]
    refused = served[1].exception()
    assert [user for user, _ in outcomes(exported)] == ["zoe", "bob", "cid"]
    del served, refused
    assert outcomes(exported) == [(user, "cancelled" if user == "ann" else "completed") for user in users]


@each_run
def test_so_has_who_comes_after_a_refused_end_without_a_handler_of_ours(
    exported: Exported, collector: OtlpHttpReceiver, run: Run
) -> None:
    sentrial.configure(otlp_endpoint=collector.url, auto_session="call")
    ask("ann", run, ProgramHasNoMore())
    assert not trace.get_current_span().get_span_context().is_valid
    ask("bob", run)
    (who, how), *others = outcomes(exported)
    # What an end inside of a sequence raises, LangChain tells the sequence.
    assert (who, how) == ("ann", "failed" if run is RUNS["chain"] else "cancelled")
    assert others == [("bob", "completed")]


@pytest.mark.parametrize(
    "run",
    [lambda config: Finding(interrupted=True).invoke(QUESTION, config), lambda config: leave.invoke({}, config)],
    ids=["Ctrl-C in a retriever", "SystemExit in a tool"],
)
def test_so_has_what_comes_after_an_exception_that_ends_programs(exported: Exported, run: Run) -> None:
    ask("ann", run, SentrialCallbackHandler())
    assert not trace.get_current_span().get_span_context().is_valid
    ask("bob", RUNS["chat"], SentrialCallbackHandler())
    assert [user for user, _ in outcomes(exported)] == ["ann", "bob"]


def test_what_a_collection_finds_ends_too(exported: Exported) -> None:
    holder: list[Any] = []
    try:
        RUNS["chat"]({"callbacks": [SentrialCallbackHandler(), ProgramRefuses()], "metadata": {"user_id": "ann"}})
    except RuntimeError as error:
        holder += [error, holder]
    del holder
    gc.collect()
    assert outcomes(exported) == [("ann", "cancelled")]


def test_a_node_that_gets_over_a_refused_call_makes_the_next_one(exported: Exported) -> None:
    class ProgramRefusesOne(BaseCallbackHandler):
        raise_error = True

        def on_chat_model_start(self, serialized: Any, messages: Any, **_: Any) -> None:
            if messages[0][0].content == "one":
                raise RuntimeError("not allowed")

    def node(state: MessagesState) -> Any:
        try:
            Asking().invoke("one")
        except RuntimeError:
            return {"messages": [Asking().invoke("two")]}

    callbacks: list[Any] = [SentrialCallbackHandler(), ProgramRefusesOne()]
    helper(node).invoke({"messages": [("user", QUESTION)]}, {"callbacks": callbacks})
    refused, answered = exported.named("chat")
    assert refused["attributes"]["sentrial.stream.end"] == "cancelled"
    assert answered["attributes"]["gen_ai.usage.output_tokens"] == OUTPUT
    assert refused["parent_span_id"] == answered["parent_span_id"] == exported.one("node node")["span_id"]


def test_a_tool_that_the_program_tells_of_itself_contains_what_is_told_as_its_part(exported: Exported) -> None:
    def begin() -> Any:
        return CallbackManager([SentrialCallbackHandler()]).on_tool_start({"name": "find"}, "it")

    @sentrial.tool
    def look_up() -> None:
        """Look it up."""

    found = begin()
    Asking().invoke(QUESTION, {"callbacks": found.get_child()})
    look_up()
    found.on_tool_end("here")
    assert exported.tree == ["invoke_agent find", "  execute_tool find", "    chat", "    execute_tool look_up"]


class Sending(AsyncCallbackHandler):
    """Tells a client of the start, who does not take it."""

    async def on_chain_start(self, *_: Any, **__: Any) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    "chain", [lambda: helper(lambda state: state), lambda: RunnableLambda(str) | len], ids=["graph", "sequence"]
)
async def test_a_chain_that_is_cancelled_while_its_start_is_told_ends_with_its_session(
    exported: Exported, chain: Callable[[], Any]
) -> None:
    config: Any = {"callbacks": [SentrialCallbackHandler(), Sending()], "metadata": {"user_id": "ann"}}
    for _ in range(2):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(chain().ainvoke({"messages": [("user", QUESTION)]}, config), 0.01)
    await asyncio.sleep(0.05)  # until then the loop holds what LangChain has left
    gc.collect()
    await asyncio.sleep(0)
    assert outcomes(exported) == [("ann", "cancelled")] * 2
