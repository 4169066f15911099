"""What another thread does just before one of ours takes a lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Meanwhile:
    """``lock``, and once, just before it is taken, ``happens``: whoever takes it has looked around before that."""

    def __init__(self, lock: Any, happens: Callable[[], object]) -> None:
        self._lock = lock
        self._happens: Callable[[], object] | None = happens

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()
        taken: bool = self._lock.acquire(blocking, timeout)
        return taken

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()
