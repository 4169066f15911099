"""Sessions of a support agent, made with this SDK as a program makes them."""

from __future__ import annotations

import sentrial

NAMES = ["chat gpt-4o", "decision support-agent", "execute_tool find_order", "invoke_agent support-agent"]
"""The spans of one, sorted. A failed one has an ``error`` too."""


class NoSuchOrderError(Exception):
    """What a failed one fails of."""


def support_session(number: int, *, cost: float = 0.01, failed: bool = False, text: str = "Where is my parcel?") -> str:
    """One session, from start to end. Returns its id."""
    try:
        with sentrial.begin(
            user_id=f"user-{number}", event="support-agent", input=text, convo_id=f"convo-{number}"
        ) as session:
            session_id: str = session.session_id
            with session.tool("find_order", {"order": number}) as call:
                call.set_output({"state": "sent", "order": number})
            with session.decision("It is on its way", ["answer", "refund"]) as decision:
                decision.choose("answer", confidence=0.9)
            with session.llm("gpt-4o", provider="openai", input=f"{text} ({number})") as model:
                model.set_output("It comes tomorrow.")
                model.set_usage(prompt_tokens=120, completion_tokens=12, estimated_cost=cost)
            if failed:
                session.track_error("no such order", error_type="NoSuchOrder")
                raise NoSuchOrderError(f"order {number}")
            session.set_output("It comes tomorrow.")
    except NoSuchOrderError:
        pass
    return session_id
