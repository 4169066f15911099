"""Two sessions open at a time on one thread: whose input each one has."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    alice = sentrial.begin("alice", "agent", input="the question of alice")
    bob = sentrial.begin("bob", "agent", input="the question of bob")
    alice.finish(output="the answer for alice")
    bob.finish(output="the answer for bob")
    return {}


def judge(seen: Seen) -> Verdict:
    right = [session.user for session in seen.sessions if session.input == f"the question of {session.user}"]
    return Verdict(len(right) == 2, f"{len(right)} of 2 sessions hold their own user's input")
