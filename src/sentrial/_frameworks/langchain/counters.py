"""What the runs of one handler add up to, for the program to read at any time."""

from __future__ import annotations

import os
import threading
import time
from collections import deque

from sentrial._spans import aside, cost
from sentrial._totals import PricedCall
from sentrial.types import LlmRequest, LlmResponse, Usage

MAX_UNPRICED = 100
"""Calls of one handler whose price waits for somebody to ask: then a thread of ours looks it up. What a call costs
depends on its own tokens and time, so that no sums can wait in their place."""

# Of all handlers. Reentrant: what runs inside a garbage collection may come here while this very thread holds one.
_counting = threading.RLock()
_pricing = threading.RLock()


class Counters:
    """Totals over the model calls of one handler, and what was said last."""

    def __init__(self, *, priced: bool) -> None:
        """``priced``: whether anybody can ask what they cost."""
        self._priced = priced
        self._unpriced: deque[PricedCall] = deque()
        self._dollars = 0.0
        self.llm_calls = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.undivided_tokens = 0
        self.steps = 0
        self.model: str | None = None
        self.given: str | None = None
        self.gave: str | None = None
        self.reasoning: str | None = None
        self.began: float | None = None
        self.ended: float | None = None

    def start(self) -> None:
        """Something has begun; the first time counts."""
        if self.began is None:
            self.began = time.time()

    def step(self) -> None:
        """An agent has chosen what to do next."""
        with _counting:
            self.steps += 1

    def add(self, request: LlmRequest, response: LlmResponse, usage: Usage | None) -> None:
        """Count a model call that was answered."""
        model = response.model or request.model
        with _counting:
            self.ended = time.time()
            self.llm_calls += 1
            self.model = model or self.model
            if usage is not None:
                self.input_tokens += usage.input_tokens or 0
                self.output_tokens += usage.output_tokens or 0
                self.undivided_tokens += usage.undivided_tokens or 0
        if self._priced and usage is not None and model is not None:
            self._unpriced.append(PricedCall(request.provider, model, usage, time.time_ns()))
            if len(self._unpriced) % MAX_UNPRICED == 0:
                aside.put(self._price)

    def _price(self) -> None:
        with _pricing:
            while self._unpriced:
                self._dollars += cost.price(self._unpriced.popleft()) or 0.0

    @property
    def total_tokens(self) -> int:
        """All tokens so far."""
        return self.input_tokens + self.output_tokens + self.undivided_tokens

    @property
    def total_cost(self) -> float:
        """Dollars so far, of the calls that have a price."""
        self._price()
        return self._dollars

    @property
    def duration_ms(self) -> int:
        """Milliseconds from the first start to the end of the last model call; 0 before there is one."""
        if self.began is None or self.ended is None:
            return 0
        return max(0, round((self.ended - self.began) * 1000))


def _after_fork() -> None:
    """A thread of the parent may have held them, and does not exist here."""
    global _counting, _pricing
    _counting = threading.RLock()
    _pricing = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
