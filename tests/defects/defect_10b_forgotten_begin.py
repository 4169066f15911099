"""A `begin` that is never finished, then `configure` with another key and `@session` for another user."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

_OTHER_KEY = "sentrial_other_key"


def program() -> dict[str, Any]:
    import sentrial

    sentrial.begin("alice", "agent", input="never finished")
    sentrial.configure(api_key=_OTHER_KEY)

    @sentrial.tool
    def search() -> int:
        return 1

    @sentrial.session("agent")
    def answer(user_id: str, message: str) -> str:
        search()
        return "done"

    answer("bob", message="hello")
    return {}


def judge(seen: Seen) -> Verdict:
    bob = seen.of_user("bob")
    account = "its own account" if bob.key == _OTHER_KEY else "the account of the forgotten one"
    calls = len(bob.tools)
    return Verdict(
        bob.key == _OTHER_KEY and calls == 1, f"the new session goes to {account}, with {calls} of 1 tool call"
    )
