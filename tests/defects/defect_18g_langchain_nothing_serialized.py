"""LangChain's handler: a tool of which LangChain tells nothing (`serialized` is None). Whether its call arrives"""

from __future__ import annotations

from typing import Any

from defects.langchain_runs import client_and_handler
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    from langchain_core.callbacks import CallbackManager

    client, handler = client_and_handler()
    run = CallbackManager.configure([handler]).on_tool_start(None, "order 1042")
    run.on_tool_end("in Lisbon")
    client.complete_session(handler.session_id)
    return {}


def judge(seen: Seen) -> Verdict:
    calls = [event for event in seen.of_user("alice").events if "order 1042" in str(event.input)]
    words = f"{len(calls)} of 1 tool call arrived with its input"
    if "Error" in seen.log:
        words += f"; the log says {seen.log.strip().splitlines()[-1]!r}"
    return Verdict(len(calls) == 1 and "Error" not in seen.log, words)
