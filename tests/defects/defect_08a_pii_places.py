"""With PII redaction on, an e-mail address in each place that a session has: where it leaves as it is."""

from __future__ import annotations

from typing import Any

from defects.seen import Seen, Verdict

_PLACES = (
    "name", "metadata", "tool_input", "tuple", "tool_output", "tool_error", "reasoning", "alternative",
    "error_message", "stack_trace", "user_input", "assistant_output", "failure_reason", "state",
)  # fmt: skip


def _of(place: str) -> str:
    return f"write to {place}@example.com"


def program() -> dict[str, Any]:
    import sentrial
    from sentrial.redact import PiiConfig

    client = sentrial.SentrialClient(pii=PiiConfig(enabled=True))
    session = client.create_session(_of("name"), "agent", "alice", metadata={"note": _of("metadata")})
    sentrial.set_session_context(session, client)
    client.update_state("note", _of("state"))
    client.track_tool_call(
        session,
        "search",
        {"note": _of("tool_input"), "more": (_of("tuple"), 1)},
        {"note": _of("tool_output")},
        reasoning=_of("reasoning"),
        tool_error={"message": _of("tool_error"), "type": "Lost"},
    )
    client.track_decision(session, "because", alternatives=[_of("alternative")])
    client.track_error(session, _of("error_message"), stack_trace=_of("stack_trace"))
    client.complete_session(
        session,
        success=False,
        failure_reason=_of("failure_reason"),
        user_input=_of("user_input"),
        assistant_output=_of("assistant_output"),
    )
    sentrial.clear_session_context()
    client.close()
    return {}


def judge(seen: Seen) -> Verdict:
    leaked = [place for place in _PLACES if f"{place}@example.com" in seen.sent]
    arrived = len(seen.of_user("alice").events)
    if leaked or arrived != 3:
        return Verdict(
            False, f"{arrived} of 3 events; it leaves in {len(leaked)} of {len(_PLACES)}: {', '.join(leaked)}"
        )
    return Verdict(True, f"it leaves in none of {len(_PLACES)} places; 3 of 3 events arrived")
