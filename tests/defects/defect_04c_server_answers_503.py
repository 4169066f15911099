"""The server answers 503 to everything: how long four sessions take."""

from __future__ import annotations

from typing import Any

from defects.blocked import judge_seconds
from defects.defect_04b_server_down import program
from defects.seen import Seen, Verdict

__all__ = ["VARIABLES", "judge", "program", "scene"]

# So that the end of the program, which waits for the server up to a bound, is soon there.
VARIABLES = {"SENTRIAL_FLUSH_TIMEOUT": "1"}


def scene(receiver: Any) -> None:
    receiver.respond(503, times=1000)


def judge(seen: Seen) -> Verdict:
    return judge_seconds(seen)
