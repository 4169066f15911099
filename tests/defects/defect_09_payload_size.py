"""200 tool calls with results of 1 kB each in one session: how much is sent."""

from __future__ import annotations

import random
from typing import Any

from defects.seen import Seen, Verdict

_CALLS, _SIZE = 200, 1000


def program() -> dict[str, Any]:
    import sentrial

    letters = random.Random(1)
    with sentrial.begin("alice", "agent", input="hello") as interaction:
        for number in range(_CALLS):
            result = "".join(letters.choices("abcdefghij klmnop", k=_SIZE))
            interaction.track_tool_call(f"tool_{number}", {"number": number}, {"result": result})
    return {}


def judge(seen: Seen) -> Verdict:
    calls = len(seen.of_user("alice").tools)
    return Verdict(
        calls == _CALLS and seen.bytes < 10 * _CALLS * _SIZE,
        f"{seen.bytes / 1e6:.1f} MB; {calls} of {_CALLS} tool calls arrived",
    )
