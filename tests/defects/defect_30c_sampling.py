"""`SENTRIAL_SAMPLE_RATE=0` in the environment: how many of 10 sessions are sent."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

VARIABLES = {"SENTRIAL_SAMPLE_RATE": "0"}


def program() -> dict[str, Any]:
    import sentrial

    for number in range(10):
        with sentrial.begin(f"user{number}", "agent", input="hello"):
            pass
    return {}


def judge(seen: Seen) -> Verdict:
    return Verdict(not seen.sessions, f"{len(seen.sessions)} of 10")
