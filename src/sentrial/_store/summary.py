"""The one row that says what a session was: kept right while spans arrive in any order, and twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sentrial import semconv
from sentrial._store.span_row import Attributes, SpanRow

RUNNING = "running"

STATUSES = (
    RUNNING,
    semconv.OUTCOME_COMPLETED,
    semconv.OUTCOME_FAILED,
    semconv.OUTCOME_CANCELLED,
    semconv.OUTCOME_PAUSED,
    semconv.OUTCOME_ABANDONED,
    semconv.OUTCOME_CONTINUED,
)

_LARGEST = 2**63 - 1

# Costs are summed as whole picodollars: a sum of floats would depend on the order in which spans arrive.
_PER_DOLLAR = 10**12

_COUNTS = ("llm_calls", "tool_calls", "decisions", "errors")
_ROOT_KEYS = {
    "input_tokens": semconv.GEN_AI_USAGE_INPUT_TOKENS,
    "output_tokens": semconv.GEN_AI_USAGE_OUTPUT_TOKENS,
    "total_tokens": semconv.SENTRIAL_USAGE_TOTAL_TOKENS,
    "llm_calls": semconv.SENTRIAL_SESSION_LLM_CALLS,
    "tool_calls": semconv.SENTRIAL_SESSION_TOOL_CALLS,
    "decisions": semconv.SENTRIAL_SESSION_DECISIONS,
    "errors": semconv.SENTRIAL_SESSION_ERRORS,
}
_COMPLETION_KEYS = {
    "input_tokens": semconv.SENTRIAL_USAGE_INPUT_TOKENS,
    "output_tokens": semconv.SENTRIAL_USAGE_OUTPUT_TOKENS,
}
"""Of a session that another process completes: no operation of the conventions, and so without their keys."""

_COUNT_OF_EVENT = {
    semconv.EVENT_LLM_CALL: "llm_calls",
    semconv.EVENT_TOOL_CALL: "tool_calls",
    semconv.EVENT_DECISION: "decisions",
    semconv.EVENT_ERROR: "errors",
}


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session at a glance. Times in nanoseconds of Unix time, cost in US dollars; None: nobody knows.

    ``status`` is ``running`` or an outcome (``completed``, ``failed``, ``cancelled``, ``paused``, ``abandoned``,
    ``continued``). While it is ``running``, times and sums cover the events that have arrived, and ``owner`` names the
    process that runs it, where that is known. ``events`` counts the spans besides the session's own.
    """

    row_id: int
    session_id: str
    trace_id: str
    name: str | None
    agent: str | None
    user: str | None
    conversation: str | None
    status: str
    start_ns: int
    end_ns: int
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cost: float | None
    llm_calls: int
    tool_calls: int
    decisions: int
    errors: int
    events: int
    failure_reason: str | None
    owner: str | None = None


Opening = Mapping[str, Any]
"""What the start of a session has said: its identity and ``start_ns``. It counts until the session's own span comes."""


def read_opening(span: SpanRow) -> Opening:
    """What a session's own span says before it has ended."""
    return {**_identity(span.attributes), "name": _name(span.attributes), "start_ns": span.start_ns}


def is_root(span: SpanRow, session_id: str) -> bool:
    """Whether ``span`` is the session itself; a sub-agent's span has the same event type, but is an event."""
    return (
        span.attributes.get(semconv.SENTRIAL_EVENT_TYPE) == semconv.EVENT_SESSION
        and session_id == f"{span.trace_id}-{span.span_id}"
    )


@dataclass(slots=True)
class Tally:
    """What has been learnt of a session so far, kept so that the order of arrival makes no difference.

    ``closing`` orders the spans that may say how the session ended: its root, unless the session continued
    elsewhere, and before that the span by which another process completed it. What the last in that order says counts.
    """

    first_ns: int = _LARGEST
    last_ns: int = 0
    events: int = 0
    sums: dict[str, int] = field(default_factory=dict)
    identity: dict[str, Any] = field(default_factory=dict)
    agent_ns: int | None = None
    root: dict[str, Any] | None = None
    closing: str = ""
    close: dict[str, Any] = field(default_factory=dict)

    def add(self, span: SpanRow, session_id: str) -> None:
        """Learn from a span that has not been added before."""
        attributes = span.attributes
        root = is_root(span, session_id)
        self.first_ns = min(self.first_ns, span.start_ns)
        self.last_ns = max(self.last_ns, span.end_ns)
        outcome = attributes.get(semconv.SENTRIAL_SESSION_OUTCOME)
        if root:
            self.root = {**_identity(attributes), "start_ns": span.start_ns, "end_ns": span.end_ns, "outcome": outcome}
            self.root["name"] = _name(attributes)
            if outcome != semconv.OUTCOME_CONTINUED:
                self._close(span, rank=2)
        else:
            self.events += 1
            self._add_sums(attributes)
            self._add_identity(span)
            if span.name == semconv.SPAN_SESSION_COMPLETED and outcome is not None:
                self._close(span, rank=1)

    def columns(self, opening: Opening | None = None) -> dict[str, Any]:
        """The summary's columns, but for its ids and for what is no part of the session."""
        root, close = self.root or opening or {}, self.close
        said = {key: each for key, each in root.items() if each is not None}
        known = root if self.root else {**self.identity, **said}
        columns: dict[str, Any] = {key: known.get(key) for key in ("name", "agent", "user", "conversation")}
        columns["status"] = close.get("status") or (semconv.OUTCOME_CONTINUED if self.root else RUNNING)
        columns["start_ns"] = root.get("start_ns", self.first_ns)
        columns["end_ns"] = close.get("end_ns", max(self.last_ns, root.get("start_ns", 0)))
        columns["failure_reason"] = close.get("failure_reason")
        columns["events"] = self.events
        cost = self.sums.get("cost")
        columns["cost"] = _first(close.get("cost"), None if cost is None else cost / _PER_DOLLAR)
        said_total = _first(close.get("total_tokens"), _total(close.get("input_tokens"), close.get("output_tokens")))
        columns["input_tokens"] = _first(close.get("input_tokens"), self.sums.get("input_tokens"))
        columns["output_tokens"] = _first(close.get("output_tokens"), self.sums.get("output_tokens"))
        columns["total_tokens"] = _first(said_total, self.sums.get("total_tokens"))
        for key in _COUNTS:
            columns[key] = _first(close.get(key), self.sums.get(key, 0))
        return columns

    def _close(self, span: SpanRow, rank: int) -> None:
        order = f"{rank} {span.end_ns:020d} {span.span_id}"
        if order <= self.closing:
            return
        attributes = span.attributes
        self.closing = order
        keys = _ROOT_KEYS if rank == 2 else {**_ROOT_KEYS, **_COMPLETION_KEYS}
        self.close = {key: _whole(attributes.get(name)) for key, name in keys.items()}
        self.close["status"] = _text(attributes.get(semconv.SENTRIAL_SESSION_OUTCOME)) or (
            semconv.OUTCOME_FAILED if span.status == "ERROR" else semconv.OUTCOME_COMPLETED
        )
        self.close["cost"] = _dollars(attributes.get(semconv.SENTRIAL_ESTIMATED_COST))
        self.close["end_ns"] = span.end_ns
        self.close["failure_reason"] = _text(attributes.get(semconv.SENTRIAL_SESSION_FAILURE_REASON)) or (
            span.status_message if span.status == "ERROR" else None
        )
        if rank == 1:
            # The process that completes the session has counted its own part only.
            self.close = {key: value for key, value in self.close.items() if key not in _COUNTS}

    def _add_sums(self, attributes: Attributes) -> None:
        event = attributes.get(semconv.SENTRIAL_EVENT_TYPE)
        count = _COUNT_OF_EVENT.get(event) if isinstance(event, str) else None
        # A sub-agent's span holds the totals of calls that are events themselves.
        if count is None:
            return
        self._sum(count, 1)
        read = _whole(attributes.get(semconv.GEN_AI_USAGE_INPUT_TOKENS))
        written = _whole(attributes.get(semconv.GEN_AI_USAGE_OUTPUT_TOKENS))
        total = _whole(attributes.get(semconv.SENTRIAL_USAGE_TOTAL_TOKENS))
        self._sum("input_tokens", read)
        self._sum("output_tokens", written)
        self._sum("total_tokens", _total(read, written) if total is None else total)
        cost = _dollars(attributes.get(semconv.SENTRIAL_ESTIMATED_COST))
        self._sum("cost", None if cost is None else round(cost * _PER_DOLLAR))

    def _sum(self, key: str, amount: int | None) -> None:
        if amount is not None:
            self.sums[key] = min(self.sums.get(key, 0) + amount, _LARGEST)

    def _add_identity(self, span: SpanRow) -> None:
        for key, value in _identity(span.attributes).items():
            if key == "agent":
                continue
            known = self.identity.get(key)
            if value is not None and (known is None or value < known):
                self.identity[key] = value
        # Inside the session sub-agents have names of their own; the earliest one is most likely the session's.
        agent = _text(span.attributes.get(semconv.GEN_AI_AGENT_NAME))
        if agent is not None and (
            self.agent_ns is None or (span.start_ns, agent) < (self.agent_ns, self.identity["agent"])
        ):
            self.agent_ns, self.identity["agent"] = span.start_ns, agent


def _identity(attributes: Attributes) -> dict[str, str | None]:
    return {
        "agent": _text(attributes.get(semconv.GEN_AI_AGENT_NAME)),
        "user": _text(attributes.get(semconv.USER_ID)),
        "conversation": _text(attributes.get(semconv.GEN_AI_CONVERSATION_ID)),
    }


def _name(attributes: Attributes) -> str | None:
    return _text(attributes.get(semconv.SENTRIAL_SESSION_NAME))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -_LARGEST <= value <= _LARGEST:
        return None
    return int(value)


def _dollars(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST / _PER_DOLLAR:
        return None
    return float(value)


def _total(read: int | None, written: int | None) -> int | None:
    return None if read is None and written is None else (read or 0) + (written or 0)


def _first(said: Any, summed: Any) -> Any:
    return summed if said is None else said
