"""LangChain's handler: a tool call of 0.50 USD in its session, then `handler.finish()`. What the session cost"""

from __future__ import annotations

from typing import Any

from defects.langchain_runs import client_and_handler
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    client, handler = client_and_handler()
    client.track_tool_call(handler.session_id, "map", {"place": "Lisbon"}, {"found": 1}, estimated_cost=0.5)
    handler.finish()
    return {}


def judge(seen: Seen) -> Verdict:
    cost = seen.of_user("alice").cost
    return Verdict(cost == 0.5, f"{cost} USD")
