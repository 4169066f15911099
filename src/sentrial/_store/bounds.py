"""How much the store may hold. Apart from SQLite, so that knowing of it costs no import of that."""

from __future__ import annotations

from dataclasses import dataclass

SILENCE_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What goes when the store holds more: whole sessions, the oldest first, never one that is running.

    Attributes:
        max_bytes: of content in the file.
        max_age_s: seconds since a session's end; ``None`` for as long as there is room.
        silence_s: after how many seconds without a word a session counts as left behind, where its process cannot be
            asked.
    """

    max_bytes: int = 1024**3
    max_age_s: float | None = None
    silence_s: float = SILENCE_S
