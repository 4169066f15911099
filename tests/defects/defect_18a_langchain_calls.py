"""LangChain's handler: a call of a chat model and a stream of its. How many arrive, beside the totals"""

from __future__ import annotations

from typing import Any

from defects.langchain_runs import QUESTION, client_and_handler, model
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    client, handler = client_and_handler()
    told = model("It left Rotterdam.", "It is in Lisbon.")
    told.invoke(QUESTION, {"callbacks": [handler]})
    list(told.stream(QUESTION, {"callbacks": [handler]}))
    client.complete_session(handler.session_id)
    return {"counted": handler.llm_calls}


def judge(seen: Seen) -> Verdict:
    events = seen.of_user("alice").events
    with_answer = [event for event in events if "Rotterdam" in event.text or "Lisbon" in event.text]
    return Verdict(
        len(with_answer) == len(events) == seen.printed["counted"] == 2,
        f"{len(with_answer)} of 2 calls arrived; {seen.printed['counted']} counted",
    )
