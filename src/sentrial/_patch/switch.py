"""Whether a patched method records: for every client of its library, or for those that were chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from sentrial import _guard


class Switch:
    """It outlives the patch: a bound method kept by the program falls silent.

    ``on``: whether it records at all; ``for_all``: whichever client is used. ``chosen``: what the clients that are
    recorded otherwise have in common with their copies, by ``identify``. ``calls``: how often the method was called
    while it recorded, near enough: threads that count at once may lose one.
    """

    __slots__ = ("_identify", "calls", "chosen", "for_all", "on")

    def __init__(self, identify: Callable[[Any], Any] | None = None, chosen: WeakSet[Any] | None = None) -> None:
        self._identify = identify
        self.chosen = chosen
        self.on = False
        self.for_all = identify is None
        self.calls = 0

    def takes(self, client: Any) -> bool:
        """Whether a call of ``client`` is recorded."""
        if self.for_all or not self.on:
            return self.on
        return self._is_chosen(client)

    @_guard.guarded("looking for a chosen client", bool)
    def _is_chosen(self, client: Any) -> bool:
        return self.chosen is not None and self._identify is not None and self._identify(client) in self.chosen
