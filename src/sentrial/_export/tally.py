"""What became of the spans for one destination: stored, or lost for a reason that is said once and counted always."""

from __future__ import annotations

import threading
from collections import Counter

from sentrial import _guard
from sentrial._export.verdict import Stored

SHUT_DOWN = "shut down"


class Tally:
    """``stored`` and ``dropped`` (by reason) count spans for the destination ``name``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.RLock()
        self._in_hand = 0
        self._written_off = False
        self.stored = 0
        self.dropped: Counter[str] = Counter()

    def take_in_hand(self, count: int) -> bool:
        """Note that so many are being delivered; ``False`` if they have been given up, and are counted as such."""
        with self._lock:
            if self._written_off:
                self.dropped[SHUT_DOWN] += count
                return False
            self._in_hand = count
            return True

    def write_off(self) -> int:
        """Give up what is being delivered: how many that are. What is stored after all, counts as stored."""
        with self._lock:
            self._written_off = True
            return self._in_hand

    def keep(self, count: int, verdict: Stored) -> None:
        """So many of those in hand were dealt with by ``verdict``."""
        rejected = min(verdict.rejected, count)
        with self._lock:
            self.stored += count - rejected
            self._in_hand -= count - rejected
            if self._written_off:
                self.dropped[SHUT_DOWN] -= count - rejected
        if rejected:
            self.lose("rejected by the server", rejected, verdict.words)
        elif verdict.words:
            _guard.say_once(f"{self._name} warns", "sentrial: %s answers: %s", self._name, verdict.words)

    def lose(self, reason: str, count: int | None, words: str) -> None:
        """So many of those in hand are lost; all that are left, if ``None``."""
        with self._lock:
            if count is None:
                count = self._in_hand
            self._in_hand -= count
            if self._written_off:
                return
        self.drop(reason, count, words)

    def drop(self, reason: str, count: int, words: str) -> None:
        """So many are lost that were never in hand."""
        if not count:
            return
        with self._lock:
            self.dropped[reason] += count
        _guard.say_once(
            f"{self._name} drops {reason}",
            "sentrial: %d %s for %s %s lost: %s. More of this kind is counted, not logged.",
            count,
            "span" if count == 1 else "spans",
            self._name,
            "is" if count == 1 else "are",
            words,
        )
