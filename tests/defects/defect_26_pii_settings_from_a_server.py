"""`pii=True` at a server that never answers: how long the first call takes."""

from __future__ import annotations

from typing import Any

from defects.blocked import judge_seconds, seconds_of
from defects.seen import Seen, Verdict

VARIABLES = {"SENTRIAL_FLUSH_TIMEOUT": "1"}


def scene(receiver: Any) -> None:
    # The first request alone: with the old package, the one for the settings.
    receiver.hang(60)


def program() -> dict[str, Any]:
    import sentrial

    client = sentrial.SentrialClient(pii=True)
    return {"seconds": seconds_of(lambda: client.create_session("name", "agent", "alice"))}


def judge(seen: Seen) -> Verdict:
    return judge_seconds(seen)
