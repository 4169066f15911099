"""A program that is compared, and what a tracer that tells all of it and no more would say of its calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compare.seen import Seen
from fake_provider import FakeProvider


@dataclass(frozen=True)
class Call:
    """A model call. ``None``: nobody can know how many. ``failed``: it ends in an error of the provider's.

    ``optional``: the tokens are told only to those who ask for them; a peer may, if the program does not notice.
    """

    input_tokens: int | None
    output_tokens: int | None
    failed: bool = False
    optional: bool = False


class Program:
    """``run(server, seen, wrap)``, a coroutine function maybe; ``wrap``: what a peer does to a client, if anything."""

    def __init__(self, run: Callable[[FakeProvider, Seen, Any], Any], *calls: Call) -> None:
        self.run = run
        self.calls = calls
