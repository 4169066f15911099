"""With PII redaction on: a card number, and ten-digit numbers that are no telephone's."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

_CARD, _ORDER, _EPOCH = "4111111111111111", "ORD-1234567890", "1712345678"


def program() -> dict[str, Any]:
    import sentrial
    from sentrial.redact import PiiConfig

    sentrial.configure(pii=PiiConfig(enabled=True))
    with sentrial.begin("alice", "agent") as interaction:
        interaction.track_tool_call(
            "pay", {"card": f"card {_CARD}"}, {"order": f"order {_ORDER}", "at": f"at {_EPOCH} s"}
        )
    return {}


def judge(seen: Seen) -> Verdict:
    (event,) = seen.of_user("alice").events
    card, order, at = event.input["card"], event.output["order"], event.output["at"]
    right = "4111" not in card and _ORDER in order and _EPOCH in at
    return Verdict(right, f"{card!r}, {order!r}, {at!r}")
