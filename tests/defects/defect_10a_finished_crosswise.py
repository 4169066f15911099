"""Two sessions, the first finished first: where the tool calls of the second, and those after both, are booked."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    def in_bobs() -> int:
        return 1

    @sentrial.tool
    def after_both() -> int:
        return 2

    alice = sentrial.begin("alice", "agent", input="a")
    bob = sentrial.begin("bob", "agent", input="b")
    alice.finish()
    in_bobs()
    bob.finish()
    after_both()
    return {}


def judge(seen: Seen) -> Verdict:
    booked = {session.user: session.tools for session in seen.sessions}
    if booked == {"alice": [], "bob": ["in_bobs"]}:
        return Verdict(True, "bob's call on bob's session, the call after both on none")
    places = [f"{name} on {user}'s" for user, names in booked.items() for name in names]
    return Verdict(False, f"{', '.join(places) or 'none at all'}; expected: in_bobs on bob's alone")
