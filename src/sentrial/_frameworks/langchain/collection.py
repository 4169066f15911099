"""Whether a garbage collection is under way here: what LangChain tells then, nobody has chosen the moment of."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from threading import get_ident
from typing import Any

from sentrial._spans import aside

_collecting: int | None = None
"""The thread that collects: there is one collection at a time."""

_after: list[Callable[[], object]] = []
"""What is put aside when the collection that is under way is over."""


def watch() -> None:
    """Be told of every collection from now on; a second time does nothing."""
    if _note not in gc.callbacks:
        gc.callbacks.append(_note)


def is_here() -> bool:
    """Whether this thread is in the middle of one."""
    return _collecting == get_ident()


def end_after(end: Callable[[], object]) -> None:
    """Put ``end`` aside when the collection is over: what is let go of shows before it is closed, and tells its end."""
    _after.append(end)


def _note(
    phase: str,
    info: Mapping[str, Any],
    get_ident: Callable[[], int] = get_ident,
    after: list[Callable[[], object]] = _after,
    put: Callable[[Callable[[], object]], None] = aside.put,
) -> None:
    # With names of its own for what it calls: the module may be cleared already when the process ends.
    global _collecting
    _collecting = get_ident() if phase == "start" else None
    while after and phase != "start":
        put(after.pop())
