"""How many inputs hypothesis draws: the same at each run, others with ``HYPOTHESIS_PROFILE=long``."""

from __future__ import annotations

import os

from hypothesis import settings

LONG = os.environ.get("HYPOTHESIS_PROFILE", "quick") == "long"


def drawn(quick: int, *, long: int = 5_000) -> settings:
    """So many examples. What is drawn at random is drawn by who asks for it, not where a release is waited for."""
    return settings(max_examples=long if LONG else quick, derandomize=not LONG, deadline=None, database=None)
