"""LangChain's handler: a search with a retriever. Whether it arrives, with what was found"""

from __future__ import annotations

from typing import Any

from defects.langchain_runs import QUESTION, client_and_handler
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    class Parcels(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> Any:
            return [Document("It is in Lisbon.", id="parcel-7")]

    client, handler = client_and_handler()
    found = Parcels().invoke(QUESTION, {"callbacks": [handler]})
    client.complete_session(handler.session_id)
    return {"found": found[0].page_content}


def judge(seen: Seen) -> Verdict:
    events = [event for event in seen.of_user("alice").events if QUESTION in event.text and "parcel-7" in event.text]
    return Verdict(
        len(events) == 1 and seen.printed["found"] == "It is in Lisbon.", f"{len(events)} of 1 search arrived"
    )
