"""Garbage that is collected for certain: Python makes no collection while one of another thread is under way."""

from __future__ import annotations

import gc
import threading
import time

__all__ = ["collect"]

_LONGEST = 30.0


def collect() -> None:
    """Collect all garbage, on this thread; again and again, until Python does."""
    here, deadline = threading.get_ident(), time.monotonic() + _LONGEST
    made: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and info["generation"] == 2 and threading.get_ident() == here:
            made.append(info["collected"])

    gc.callbacks.append(note)
    try:
        gc.collect()
        while not made:
            assert time.monotonic() < deadline, "another thread does not end its collection"
            time.sleep(0.001)
            gc.collect()
    finally:
        gc.callbacks.remove(note)
