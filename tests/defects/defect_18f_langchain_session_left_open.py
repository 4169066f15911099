"""LangChain's handler: the program completes nothing. What becomes of the session"""

from __future__ import annotations

from typing import Any

from defects.langchain_runs import QUESTION, client_and_handler, model
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    _, handler = client_and_handler()
    model("It is in Lisbon.").invoke(QUESTION, {"callbacks": [handler]})
    return {}


def judge(seen: Seen) -> Verdict:
    status = seen.of_user("alice").status
    return Verdict(status == "abandoned", "it stays open" if status == "open" else status)
