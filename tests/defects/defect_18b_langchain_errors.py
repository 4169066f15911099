"""LangChain's handler: a model, a chain and a retriever that raise. How many of the errors arrive"""

from __future__ import annotations

from typing import Any

from defects.langchain_runs import QUESTION, client_and_handler, model, raised
from defects.seen import Seen, Verdict

_MESSAGE = "the depot is closed"


def program() -> dict[str, Any]:
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import RunnableLambda

    class Parcels(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
            raise OSError(_MESSAGE)

    def chain(question: str) -> str:
        raise OSError(_MESSAGE)

    def answers() -> Any:
        raise OSError(_MESSAGE)
        yield

    client, handler = client_and_handler()
    runs = [model(), RunnableLambda(chain), Parcels()]
    runs[0].messages = answers()
    found = [raised(lambda run=run: run.invoke(QUESTION, {"callbacks": [handler]})) for run in runs]
    client.complete_session(handler.session_id, success=False)
    return {"raised": found}


def judge(seen: Seen) -> Verdict:
    assert seen.printed["raised"] == ["OSError"] * 3
    told = [event for event in seen.of_user("alice").events if _MESSAGE in event.text]
    return Verdict(len(told) == 3, f"{len(told)} of 3 errors arrived")
