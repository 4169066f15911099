"""Where several accounts of Sentrial live: they have keys and queues of their own, and share threads and memory."""

from __future__ import annotations

from sentrial._export.crew import Crew
from sentrial._export.room import Room

MOST_THREADS = 16
"""However many accounts have something to send."""

PATIENCE = 60.0
"""Seconds after which a thread that has nothing to do ends."""


class Endpoint:
    """The address ``api_url``. ``room``: bytes that may wait for all its accounts together."""

    def __init__(self, api_url: str, room: int) -> None:
        self._name = f"Sentrial {api_url}"
        self._accounts = 0
        self.crew = Crew(f"sentrial {self._name}", most=MOST_THREADS, patience=PATIENCE)
        self.room = Room(room)

    def name_next(self) -> str:
        """How one more account is called, in statistics and messages."""
        self._accounts += 1
        return self._name if self._accounts == 1 else f"{self._name} (account {self._accounts})"
