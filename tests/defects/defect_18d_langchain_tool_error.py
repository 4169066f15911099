"""LangChain's handler: a tool that raises. Whether it is recorded as an error"""

from __future__ import annotations

import json
from typing import Any

from defects.langchain_runs import client_and_handler, raised
from defects.seen import Seen, Verdict

_ERROR = 2
"""A span's status, as OTLP writes it."""


def program() -> dict[str, Any]:
    from langchain_core.tools import tool

    @tool
    def refund(order: str) -> str:
        """Pay it back."""
        raise OSError("the bank does not answer")

    client, handler = client_and_handler()
    found = raised(lambda: refund.invoke({"order": "1042"}, {"callbacks": [handler]}))
    client.complete_session(handler.session_id)
    return {"raised": found}


def judge(seen: Seen) -> Verdict:
    assert seen.printed["raised"] == "OSError"
    (call,) = seen.of_user("alice").events
    told = json.loads(call.text)
    failed = told.get("toolError") is not None or told.get("status_code") == _ERROR
    return Verdict(failed, "it is a failed tool call" if failed else f"it is a tool call that gave {call.output}")
