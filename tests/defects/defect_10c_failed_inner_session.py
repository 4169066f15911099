"""A session inside another user's, which the server is too busy to take: where its tool call is booked."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

_BUSY = 503


def scene(receiver: Any) -> None:
    from receivers import OldRestApi

    if isinstance(receiver, OldRestApi):
        # The outer session is created; the inner one is not, at any of the four attempts.
        receiver.respond(200, {"Content-Type": "application/json"}, b'{"id": "sess_1"}')
        receiver.respond(_BUSY, times=4)
    else:
        receiver.respond(_BUSY, times=2)


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    def search_for_bob() -> int:
        return 1

    with sentrial.begin("alice", "agent", input="a"), sentrial.begin("bob", "agent", input="b"):
        search_for_bob()
    return {}


def judge(seen: Seen) -> Verdict:
    booked = {session.user: session.tools for session in seen.sessions}
    if booked.get("alice"):
        return Verdict(False, "bob's tool call is booked on alice's session")
    return Verdict(booked == {"alice": [], "bob": ["search_for_bob"]}, "bob's tool call is booked on bob's session")
