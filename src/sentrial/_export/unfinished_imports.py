"""A fork waits for what our threads are importing.

A module that another thread has half imported stays so in the child, for good: whoever uses it there fails. What we
import late (an HTTP client, gRPC, prices) takes up to half a second, just when a program has begun and forks workers.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Collection
from types import FrameType

_PAUSE = 0.001


def wait_for_imports(threads: Collection[threading.Thread], timeout: float) -> None:
    """Wait until none of ``threads`` is importing, ``timeout`` seconds at most."""
    deadline = time.monotonic() + timeout
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
