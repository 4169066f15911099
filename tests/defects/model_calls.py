"""Calls of a model by a wrapped client: against a provider on the loopback, and as they are seen afterwards.

The old package records them as tool calls named ``llm:<provider>:<model>``.
"""

from __future__ import annotations

import json
from typing import Any

from defects.seen import Event, Seen, Verdict

ASK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where is my parcel?"}]}
ASK_CLAUDE: dict[str, Any] = {**ASK, "model": "claude-sonnet-4-5", "max_tokens": 200}
ANSWER = "The parcel left Rotterdam on Tuesday."
ANSWER_OF_CLAUDE = "Your parcel left Lisbon this morning and arrives tomorrow."

KEY: dict[str, Any] = {"api_key": "sk-test", "max_retries": 0}


def calls(seen: Seen) -> list[Event]:
    """The calls of a model that arrived."""
    events = [event for session in seen.sessions for event in session.events]
    return [event for event in events if event.kind == "llm_call" or (event.name or "").startswith("llm:")]


def number(event: Event, old: str, ours: str) -> float:
    """A number of a call's; 0 where it has none."""
    told = json.loads(event.text)
    return float(told.get("attributes", {}).get(ours) or told.get(old) or 0)


def raised(work: Any) -> str | None:
    """The exception that came of ``work``."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the program saw
        return f"{type(error).__name__}: {error}"
    return None


def judge_calls(seen: Seen, *, of: int = 1, saying: str | None = ANSWER) -> Verdict:
    """Whether the program worked (``raised`` of what it printed) and each call arrived, with ``saying`` in it."""
    if found := seen.printed.get("raised"):
        return Verdict(False, f"the program gets `{found}`")
    arrived = calls(seen)
    with_answer = [call for call in arrived if saying is None or saying in call.text.replace("\\", "")]
    words = f"{len(arrived)} of {of} call{'s' * (of > 1)} arrived"
    if arrived and not with_answer:
        words += ", without the answer"
    return Verdict(len(arrived) == len(with_answer) == of, words)
