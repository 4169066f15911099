"""What the events of one session add up to."""

from __future__ import annotations

from dataclasses import dataclass

from sentrial.types import Usage


@dataclass(slots=True, eq=False)
class PricedCall:
    """One model call that the session's cost needs. ``at``: nanoseconds since the epoch; ``cost``: dollars.

    Pricing costs too much for the user's thread: ``priced`` says whether a thread of ours has done it already.
    """

    provider: str
    model: str
    usage: Usage
    at: int
    cost: float | None = None
    priced: bool = False


class Totals:
    """What the events of one session add up to so far."""

    __slots__ = (
        "calls", "costs", "decisions", "errors", "input_tokens", "llm_calls", "output_tokens", "tool_calls",
        "undivided_tokens",
    )  # fmt: skip

    def __init__(self) -> None:
        self.llm_calls = 0
        self.tool_calls = 0
        self.decisions = 0
        self.errors = 0
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.undivided_tokens: int | None = None
        self.costs: list[float] = []
        self.calls: list[PricedCall] = []

    def add_call(self, call: PricedCall | None, usage: Usage | None, count: int) -> None:
        """Count ``count`` model calls, with their tokens and what is needed to price them."""
        self.llm_calls += count
        if usage is not None:
            self._add_usage(usage)
        if call is not None:
            self.calls.append(call)

    def _add_usage(self, usage: Usage) -> None:
        """Add the tokens of one call; what was not said stays unknown."""
        if usage.input_tokens is not None:
            self.input_tokens = (self.input_tokens or 0) + usage.input_tokens
        if usage.output_tokens is not None:
            self.output_tokens = (self.output_tokens or 0) + usage.output_tokens
        if usage.undivided_tokens is not None:
            self.undivided_tokens = (self.undivided_tokens or 0) + usage.undivided_tokens

    def total_tokens(self, input_tokens: int | None, output_tokens: int | None) -> int | None:
        """All tokens, of which ``input_tokens`` and ``output_tokens`` are known as such; ``None`` if nobody knows."""
        known = [tokens for tokens in (input_tokens, output_tokens, self.undivided_tokens) if tokens is not None]
        return sum(known) if known else None
