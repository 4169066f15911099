"""A function that decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentrial import _ambient, semconv
from sentrial._decorated.arguments import Arguments
from sentrial._decorated.event import AroundFunction
from sentrial._snapshot import Tally, snapshot
from sentrial._spans.decision import Decision

ALTERNATIVES = ("alternatives", "options")
"""Parameters that hold what else is possible."""

_FIELDS = frozenset({"chosen", "reasoning", "alternatives", "confidence"})


@dataclass(frozen=True)
class Decider:
    """What ``@decision`` knows of a function."""

    name: str
    arguments: Arguments

    def wanted(self) -> bool:
        """Only inside a session: else nothing is so much as looked at."""
        return _ambient.is_session_here()

    def open(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> AroundFunction | None:
        """The decision, in the session that is current."""
        session = _ambient.session_for_event()
        if session is None:
            return None
        found = self.arguments.by_name(args, kwargs)
        given = [value for name in ALTERNATIVES if (value := self.arguments.find(name, found)) is not None]
        decision = Decision(session, alternatives=_names(given[0]) if given else None, metadata={"name": self.name})
        return AroundFunction(session, decision, lambda result: _say(decision, result))


def _say(decision: Decision, result: Any) -> None:
    """What the function returned is what was chosen, or a mapping that says so and why."""
    copy = snapshot(result, Tally())
    if not isinstance(copy, dict) or _FIELDS.isdisjoint(copy):
        decision.choose(copy)
        return
    if copy.get("reasoning") is not None:
        decision.set_reasoning(copy["reasoning"])
    if copy.get("alternatives") is not None:
        decision._payload.texts(semconv.SENTRIAL_DECISION_ALTERNATIVES, _names(copy["alternatives"]))
    decision.choose(copy.get("chosen"), copy.get("confidence"))


def _names(alternatives: Any) -> Any:
    """Of alternatives that are told with what they mean, the names."""
    copy = snapshot(alternatives, Tally())
    return list(copy) if isinstance(copy, dict) else copy
