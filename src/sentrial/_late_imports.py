"""What our threads import late, and a fork: each waits for the other.

A module that another thread has half imported stays so in the child, for good: whoever uses it there fails. What we
import late (an HTTP client, gRPC, prices) takes up to half a second, just when a program has begun and forks workers.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType

LONGEST_WAIT = 10.0
"""Seconds that a fork waits at most: longer than any import takes on a busy machine, and not for ever."""

_PAUSE = 0.001

_lock = threading.RLock()
_forking = threading.local()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Import inside this block, and no fork comes in between."""
    with _lock:
        yield


def wait_for(threads: Collection[threading.Thread]) -> None:
    """Wait until none of ``threads`` is importing, for what others import late on them without asking us."""
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline:
        frames = sys._current_frames()
        if not any(_is_importing(frames.get(thread.ident or 0)) for thread in threads):
            return
        time.sleep(_PAUSE)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__") == "importlib._bootstrap":
            return True
        frame = frame.f_back
    return False


def _before_fork() -> None:
    _forking.holds = _lock.acquire(timeout=LONGEST_WAIT)


def _after_fork_in_parent() -> None:
    if _forking.holds:
        _lock.release()


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork)
