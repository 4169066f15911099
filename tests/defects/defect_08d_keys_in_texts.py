"""Keys and passwords in arguments and texts, with PII redaction on: which leave as they are."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

# In pieces, so that nobody takes them for real ones.
_SECRETS = {
    "an OpenAI key": "sk-" + "proj-" + "Zx8" * 16,
    "an AWS key": "AKIA" + "IOSFODNN7" + "EXAMPLE",
    "a bearer token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiJhbGljZSJ9." + "c2lnbmF0dXJlLW9mLWl0",
    "a password in an address": "hunter2hunter2",
    "an argument called api_key": "9f8e7d6c5b4a",
}


def program() -> dict[str, Any]:
    import sentrial
    from sentrial.redact import PiiConfig

    openai, aws, bearer, password, argument = _SECRETS.values()
    sentrial.configure(pii=PiiConfig(enabled=True))
    with sentrial.begin("alice", "agent", input=f"my key is {openai}, and this is {aws}") as interaction:
        interaction.track_tool_call(
            "fetch",
            {"headers": f"Authorization: Bearer {bearer}", "api_key": argument},
            {"used": f"postgres://admin:{password}@db.example.com/shop"},
        )
    return {}


def judge(seen: Seen) -> Verdict:
    left = [name for name, secret in _SECRETS.items() if secret in seen.sent]
    arrived = len(seen.of_user("alice").events)
    words = f"{len(left)} of {len(_SECRETS)} leave" + (f": {', '.join(left)}" if left else "")
    return Verdict(not left and arrived == 1, words)
