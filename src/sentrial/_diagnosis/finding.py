"""One thing that the doctor has to say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

PROBLEM = "problem"
NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """``level``: ``problem`` (something is wrong) or ``note`` (good to know). ``code`` is for scripts, and stays.

    ``words`` say what is the matter, ``remedy`` what to do about it; empty where there is nothing to do.
    """

    level: str
    code: str
    words: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it stands in the doctor's document."""
        return asdict(self)


def problem(code: str, words: str, remedy: str) -> Finding:
    """Something is wrong."""
    return Finding(PROBLEM, code, words, remedy)


def note(code: str, words: str, remedy: str = "") -> Finding:
    """Good to know."""
    return Finding(NOTE, code, words, remedy)
