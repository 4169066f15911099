"""Runs that are open: many at once, and some whose end never comes."""

from __future__ import annotations

import contextvars
import os
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.outputs import LLMResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool

import sentrial
from langchain_scenarios import QUESTION, Exported
from langchain_scenarios.asking import Asking
from langchain_scenarios.inside import holding_locks, open_runs
from sentrial import _guard
from sentrial._frameworks.langchain import runs
from sentrial._spans.agent_profile import AgentProfile
from sentrial.langchain import SentrialCallbackHandler


class Exits(BaseRetriever):
    """Ends in a way that LangChain does not tell of."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
        raise SystemExit(query)


def search(handler: SentrialCallbackHandler, query: str, run_ids: list[UUID]) -> None:
    """``run_ids``: keeps the run's, so that nobody can know that LangChain has let go of it."""
    run_ids.append(uuid4())
    with pytest.raises(SystemExit):
        Exits().invoke(query, {"callbacks": [handler]}, run_id=run_ids[-1])


@pytest.mark.usefixtures("collector")
def test_ten_thousand_runs_at_once_are_all_recorded_whole() -> None:
    handler = SentrialCallbackHandler(track_llm_calls=False)
    run_ids = [uuid4() for _ in range(10_100)]
    tasks = [contextvars.copy_context() for _ in run_ids]
    for task, run_id in zip(tasks, run_ids, strict=True):
        task.run(handler.on_chat_model_start, {}, [[]], run_id=run_id)
    for task, run_id in zip(tasks, run_ids, strict=True):
        task.run(handler.on_llm_end, LLMResult(generations=[]), run_id=run_id)
    assert handler.llm_calls == len(run_ids)
    assert open_runs(handler) == []


def test_the_oldest_whose_end_never_comes_ends_as_cancelled_once_there_are_too_many(
    exported: Exported, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runs, "MAX_OPEN", 3)
    handler, run_ids = SentrialCallbackHandler(), list[UUID]()
    with sentrial.begin("user_1", "agent"):
        for number in range(6):
            search(handler, str(number), run_ids)
        assert len(open_runs(handler)) == 3
        searches = exported.named("retrieval")
    assert [span["attributes"]["sentrial.outcome"] for span in searches] == ["cancelled"] * 3
    (said,) = [record for record in caplog.records if "of LangChain's are open" in record.message]
    assert said.name == _guard.logger.name


def test_what_waits_for_others_is_not_given_up_for_them(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MAX_OPEN", 3)
    handler, run_ids = SentrialCallbackHandler(), list[UUID]()

    @tool
    def find(text: str, callbacks: Any = None) -> str:
        """Find it."""
        for number in range(6):
            contextvars.copy_context().run(search, handler, str(number), run_ids)
        return "found"

    find.invoke({"text": "it"}, {"callbacks": [handler]})
    assert "sentrial.outcome" not in exported.one("execute_tool find")["attributes"]
    assert exported.one("execute_tool find")["end_ns"] > max(span["end_ns"] for span in exported.named("retrieval"))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.usefixtures("collector")
def test_a_forked_child_waits_for_no_thread_of_its_parent() -> None:
    handler = SentrialCallbackHandler()
    model = Asking()
    with holding_locks():
        child = os.fork()
        if child == 0:
            try:
                asked = threading.Thread(target=model.invoke, args=(QUESTION, {"callbacks": [handler]}), daemon=True)
                asked.start()
                asked.join(20)
                os._exit(0 if handler.llm_calls == 1 and handler.total_cost == 0.0 else 1)
            finally:
                os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.quiet_guard
def test_a_session_ends_though_its_description_cannot_be_written(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("not to be written")

    monkeypatch.setattr(AgentProfile, "write", fail)
    agent = create_agent(Asking(), [], name="helper")
    agent.invoke({"messages": [("user", QUESTION)]}, {"callbacks": [SentrialCallbackHandler()]})
    found = exported.one("invoke_agent helper")["attributes"]
    assert found["sentrial.session.outcome"] == "completed"
