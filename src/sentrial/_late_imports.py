"""What our threads import late, and a fork: each waits for the other.

A module that another thread has half imported stays so in the child, for good: whoever uses it there fails. What we
import late (an HTTP client, gRPC, prices) takes up to half a second, just when a program has begun and forks workers.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LONGEST_WAIT = 10.0
"""Seconds that a fork waits at most: longer than any import takes on a busy machine, and not for ever."""

_PAUSE = 0.001

threads: set[threading.Thread] = set()
"""Ours, while they run: a fork waits for what others import late on them without asking us, too."""

_lock = threading.RLock()
_forking = threading.local()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Import inside this block, and no fork comes in between."""
    with _lock:
        yield


def _before_fork() -> None:
    deadline = time.monotonic() + LONGEST_WAIT
    # First the lock: while a fork waits for it, threads go on, and may come to an import of others.
    _forking.holds = _lock.acquire(timeout=LONGEST_WAIT)
    while _some_thread_imports() and time.monotonic() < deadline:
        time.sleep(_PAUSE)


def _some_thread_imports() -> bool:
    frames = sys._current_frames()
    return any(_is_importing(frames.get(thread.ident or 0)) for thread in tuple(threads))


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__") == "importlib._bootstrap":
            return True
        frame = frame.f_back
    return False


def _after_fork_in_parent() -> None:
    if _forking.holds:
        _lock.release()


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()
    threads.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork)
