"""`@tool` on a function with arguments `api_key`, `password` and `token`: which leave."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

_SECRETS = {"api_key": "9f8e7d6c5b4a", "password": "correct horse", "token": "t-0123456789"}


def program() -> dict[str, Any]:
    import sentrial

    @sentrial.tool
    def fetch(url: str, api_key: str, password: str, token: str) -> str:
        return "fetched"

    with sentrial.begin("alice", "agent", input="hello"):
        fetch("https://example.com", **_SECRETS)
    return {}


def judge(seen: Seen) -> Verdict:
    left = [name for name, secret in _SECRETS.items() if secret in seen.sent]
    (event,) = seen.of_user("alice").events
    words = f"{len(left)} of {len(_SECRETS)} leave" + (f": {', '.join(left)}" if left else "")
    return Verdict(not left and event.input["url"] == "https://example.com", words)
