"""`estimated_cost=None`, and a tool whose result has a `tokens` of its own: what is raised, and what arrives."""

from __future__ import annotations

from typing import Any

from defects.attempts import raised_by, told
from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    def no_cost() -> None:
        with sentrial.begin("alice", "agent") as interaction:
            interaction.track_tool_call("search", {}, {"found": 1}, estimated_cost=None)

    def own_tokens() -> None:
        with sentrial.begin("bob", "agent") as interaction:
            interaction.track_tool_call("log_in", {}, {"tokens": {"prompt": "ask again", "completion": None}})

    return {"raised": raised_by({"cost None": no_cost, "tokens of its own": own_tokens})}


def judge(seen: Seen) -> Verdict:
    raised = seen.printed["raised"]
    calls = sorted(name or "" for session in seen.sessions for name in session.tools)
    return Verdict(
        not raised and calls == ["log_in", "search"],
        f"{told(raised) or 'nothing is raised'}; {len(calls)} of 2 tool calls arrived",
    )
