"""Never break the user's program: what becomes of an exception of ours.

Every place where our code runs inside the user's program hands its own failures here. A user sees one log line a
place, and goes on; our own tests set :data:`strict`, and the failure is raised where it happened.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("sentrial")

strict = False
"""Whether :func:`failed` raises what it is given. Set by our test suite, never in production."""

failures: Counter[str] = Counter()
"""How often each place failed, in this process."""

MAX_SHOWN = 200
"""How many characters of a value a log line shows."""

MAX_SAID = 1_000
"""How many different things are said in one process: a program that finds ever new ones is not flooded."""

_said: set[str] = set()
# Reentrant: what fails inside a garbage collection may fail while this very thread holds the lock.
_lock = threading.RLock()


def failed(place: str, error: Exception) -> None:
    """Record that our own code failed at ``place``; to be called from the ``except`` block.

    Raises:
        Exception: ``error`` itself, when :data:`strict` is set.
    """
    note(place, error)
    if strict:
        raise error


def note(place: str, error: Exception) -> None:
    """Like :func:`failed` on a thread of ours, where raising would reach nobody."""
    with _lock:
        failures[place] += 1
        first = _is_first(place)
    if first:
        logger.warning(
            "sentrial failed at %s (%s: %s). Your program is not affected; what this part would have recorded "
            "is missing. Further failures at this place are counted, not logged.",
            place,
            type(error).__name__,
            shown(error, str),
            exc_info=error,
        )


def say_once(key: str, message: str, *args: object, level: int = logging.WARNING) -> None:
    """Log ``message`` the first time that ``key`` comes up in this process, and never again: no floods."""
    with _lock:
        first = _is_first(key)
    if first:
        logger.log(level, message, *args)


def _is_first(key: str) -> bool:
    if key in _said or len(_said) >= MAX_SAID:
        return False
    _said.add(key)
    return True


def shown(value: object, words: Callable[[object], str] = repr) -> str:
    """``value`` for a log line: short, and no exception, whatever its ``__repr__`` does."""
    try:
        text = words(value)
    except Exception as error:  # noqa: BLE001 - the user's own code
        return f"<{type(value).__name__}, unreadable: {type(error).__name__}>"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def forget() -> None:
    """Forget what was said and counted, so that a fresh configuration (or test) hears it again."""
    with _lock:
        _said.clear()
        failures.clear()


def guarded(place: str, default: Callable[[], R]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator for entry points: a failure of ours inside gives ``default()`` instead of an exception."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the guard is the one place that catches everything of ours
                failed(place, error)
                return default()

        return call

    return decorate


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    # A thread of the parent may have held it, and does not exist in the child.
    os.register_at_fork(after_in_child=_after_fork)
