"""Where a signature differs from the old one, and why. Exact: what is no difference any more fails the test too."""

from __future__ import annotations

from dataclasses import dataclass

CLIENTS = ("SentrialClient", "AsyncSentrialClient")
INTERACTIONS = ("Interaction", "AsyncInteraction")


@dataclass(frozen=True)
class Deviation:
    """``names``: without ``sentrial.``. ``difference``: as `compare.differences` says it."""

    names: tuple[str, ...]
    difference: str
    reason: str


DEVIATIONS = (
    Deviation(
        tuple(f"{owner}.{call}" for owner in CLIENTS + INTERACTIONS for call in ("track_tool_call", "track_decision")),
        "estimated_cost: default None, was 0.0",
        "A cost that nobody knows is absent, not 0.",
    ),
    Deviation(
        tuple(f"{owner}.finish" for owner in INTERACTIONS),
        "success: default None, was True",
        "Not given means yes, unless `track_error` was called.",
    ),
    Deviation(INTERACTIONS, "another constructor", "`begin` makes them; their constructors are not public."),
    Deviation(("client",), "not in it: begin, configure", "They are in `sentrial`."),
    Deviation(
        ("decorators",),
        "not in it: SessionContext, get_current_interaction, get_current_session_id",
        "They are in `sentrial`.",
    ),
    Deviation(
        ("wrappers",),
        "not in it: clear_session_context, get_session_context, set_session_context",
        "They are in `sentrial`.",
    ),
    Deviation(("types",), "not in it: EventType", "It is in `sentrial`; `types` holds other things."),
)


def listed() -> dict[str, list[str]]:
    """The differences that are known, by full name."""
    known: dict[str, list[str]] = {}
    for each in DEVIATIONS:
        for name in each.names:
            known.setdefault(f"sentrial.{name}", []).append(each.difference)
    return known
