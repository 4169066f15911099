"""LangChain's handler: `set_input(None)`. What it raises"""

from __future__ import annotations

from typing import Any

from defects.langchain_runs import client_and_handler, raised
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    client, handler = client_and_handler()
    found = raised(lambda: handler.set_input(None))
    client.complete_session(handler.session_id)
    return {"raised": found}


def judge(seen: Seen) -> Verdict:
    found = seen.printed["raised"]
    return Verdict(found is None, found or "nothing")
