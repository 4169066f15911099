"""How many bytes may wait before one destination, or before several that share a bound."""

from __future__ import annotations

import threading

ROOM_FOR_ROOTS = 1.25
"""A session's root may overfill the room by this much: without it, the session's other spans are worth little."""


class Room:
    """``size`` bytes in all. Who shares it is sure of an equal part, also when the others have filled the whole.

    Spans can end inside a garbage collection, and so while their thread is in here: the lock is reentrant.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._sharers = 0
        self.empty()

    def empty(self) -> None:
        """Nothing waits any more, as in a forked child."""
        self._lock = threading.RLock()
        self._taken = 0

    def share(self) -> Share:
        """The part of one more."""
        with self._lock:
            self._sharers += 1
        return Share(self)

    def take(self, share: Share, weight: int, *, is_root: bool) -> bool:
        """Take ``weight`` bytes for ``share``, if they are to be had."""
        with self._lock:
            stretched = self.size * (ROOM_FOR_ROOTS if is_root else 1)
            if self._taken + weight > stretched and share.taken + weight > stretched / self._sharers:
                return False
            self._taken += weight
            share.taken += weight
            return True

    def give_back(self, share: Share, weight: int) -> None:
        """``weight`` bytes of ``share`` wait no longer."""
        with self._lock:
            self._taken -= weight
            share.taken -= weight


class Share:
    """What one takes of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.taken = 0

    def take(self, weight: int, *, is_root: bool) -> bool:
        """Take ``weight`` bytes, if they are to be had."""
        return self._room.take(self, weight, is_root=is_root)

    def give_back(self, weight: int) -> None:
        """``weight`` bytes wait no longer."""
        self._room.give_back(self, weight)

    def empty(self) -> None:
        """Nothing waits any more, here and with those who share: in a forked child."""
        self.taken = 0
        self._room.empty()
