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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeGuard, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

logger = logging.getLogger("sentrial")


class RefusedError(ValueError):
    """What the caller gave cannot be used; only with ``fail_silently=False`` does it leave this package."""


strict = False
"""Whether :func:`failed` raises what it is given. Set by our test suite, never in production."""

failures: Counter[str] = Counter()
"""How often each place failed, in this process."""

MAX_SHOWN = 200
"""How many characters of a value a log line shows."""

MAX_SAID = 1_000
"""How many different things are said in one process: a program that finds ever new ones is not flooded."""

_said: set[str] = set()
_refused: ContextVar[list[str] | None] = ContextVar("sentrial-refused", default=None)
_waiting: ContextVar[list[str] | None] = ContextVar("sentrial-waiting-to-be-refused", default=None)
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


def refuse(key: str, message: str, *args: object) -> None:
    """Say that the caller gave what cannot be used: once in the log, or, inside :func:`raising`, as an exception."""
    refused = _refused.get()
    if refused is None:
        say_once(key, message, *args)
    else:
        refused.append(message % args)


@contextmanager
def raising(loud: bool = True) -> Iterator[None]:
    """For callers who want to hear of bad input: what is refused inside is raised when the outermost block is done.

    ``loud``: whether this caller does; else nothing changes.

    Raises:
        RefusedError: naming every value that was refused. What could be recorded is recorded by then.
    """
    if not loud or is_raising():
        yield
        return
    waiting = _waiting.get() or []
    refused = waiting[:]
    waiting.clear()
    token = _refused.set(refused)
    try:
        yield
    except RefusedError as error:
        refused.append(str(error))
    finally:
        _refused.reset(token)
    if refused:
        raise RefusedError(" ".join(refused))


@contextmanager
def refusing(words: Iterable[str]) -> Iterator[None]:
    """Refuse what was found before anybody knew whether the caller wants to hear of it.

    A :func:`raising` inside that is loud raises it with the rest; where there is none, it is refused after the block.
    """
    waiting = list(words)
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    for each in waiting:
        refuse(each, "%s", each)


def is_raising() -> bool:
    """Whether what is refused here will be raised."""
    return _refused.get() is not None


def _is_first(key: str) -> bool:
    if key in _said or len(_said) >= MAX_SAID:
        return False
    _said.add(key)
    return True


def is_a(value: object, *kinds: type[T]) -> TypeGuard[T]:
    """``isinstance``, asked of the class alone: a value's own ``__class__`` is the user's code, and may raise."""
    return issubclass(type(value), kinds)


def shown(value: object, words: Callable[[object], str] = repr) -> str:
    """``value`` for a log line: short, and no exception, whatever its ``__repr__`` does."""
    if type(value) is str:
        value = value[: MAX_SHOWN + 1]  # spelling all of a long one would take its time, on the user's thread
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


def guarded(place: str, default: Callable[[], Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator for entry points: a failure of ours inside gives ``default()`` instead of an exception.

    What the caller asked to hear, of bad input, passes.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except RefusedError:
                raise
            except Exception as error:  # noqa: BLE001 - the guard is the one place that catches everything of ours
                failed(place, error)
                return default()  # type: ignore[no-any-return]  # None, where the caller makes do with it

        return call

    return decorate


def nothing() -> None:
    """What a call of ours gives that failed, and that gives nothing anyway."""


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    # A thread of the parent may have held it, and does not exist in the child.
    os.register_at_fork(after_in_child=_after_fork)
