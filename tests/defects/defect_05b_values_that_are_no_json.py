"""Values that are no JSON, as metadata, argument and result: what is raised, and what arrives."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import threading
from typing import Any

from defects.attempts import raised_by, told
from defects.seen import Seen, Verdict


@dataclasses.dataclass
class _Order:
    number: int


_VALUES: dict[str, Any] = {
    "datetime": datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc),
    "Decimal": decimal.Decimal("1.20"),
    "set": {1, 2},
    "bytes": b"\x00\xff",
    "dataclass": _Order(7),
    "lock": threading.Lock(),
}


def program() -> dict[str, Any]:
    import sentrial

    def track(name: str) -> None:
        value = _VALUES[name]
        with sentrial.begin(f"{name} as metadata", "agent", metadata={"value": value}):
            pass
        with sentrial.begin(f"{name} in a tool call", "agent") as interaction:
            interaction.track_tool_call("search", {"value": value}, {"value": value})

    return {"raised": raised_by({name: lambda name=name: track(name) for name in _VALUES})}


def judge(seen: Seen) -> Verdict:
    raised = seen.printed["raised"]
    sessions, calls = len(seen.sessions), sum(len(session.tools) for session in seen.sessions)
    arrived = f"{sessions} of {2 * len(_VALUES)} sessions and {calls} of {len(_VALUES)} tool calls arrived"
    complete = (sessions, calls) == (2 * len(_VALUES), len(_VALUES))
    return Verdict(complete and not raised, f"{told(raised) or 'nothing is raised'}; {arrived}")
