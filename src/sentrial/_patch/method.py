"""A method of a class, or a function of a module, patched and as it was: put in, taken back, left to others on top."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any


class PatchedMethod:
    """Kept when it is taken back, so that it can come again. ``build``: makes the wrapper of the original."""

    def __init__(self, name: str, build: Callable[[Any], Any]) -> None:
        self._name = name
        self._build = build
        self._original: Any = None
        self._wrapper: Any = None

    def put(self, owner: type | types.ModuleType) -> bool:
        """Patch ``owner``; ``False`` where it has no such method of its own."""
        current = vars(owner).get(self._name)
        if current is None:
            return False
        if not self._stands_in(current):
            if current is not self._original:
                self._original = current
                self._wrapper = self._build(current)
            setattr(owner, self._name, self._wrapper)
        for each in self._subclasses_left(owner):
            setattr(each, self._name, self._wrapper)
        return True

    def take_back(self, owner: type | types.ModuleType) -> None:
        """Put the original back, unless somebody else has patched on top of us."""
        for each in (owner, *_subclasses(owner)):
            if self._wrapper is not None and vars(each).get(self._name) is self._wrapper:
                setattr(each, self._name, self._original)

    def is_lost(self, owner: type | types.ModuleType) -> bool:
        """Whether somebody has put something in our place that knows nothing of us: what he found before we came."""
        return not self._stands_in(vars(owner).get(self._name)) or any(self._subclasses_left(owner))

    def _subclasses_left(self, owner: type | types.ModuleType) -> Iterator[type]:
        """The subclasses of ``owner`` that have the original as their own: whoever patches a subclass and takes that
        back by setting what he found leaves it there, and ours is never reached."""
        return (each for each in _subclasses(owner) if vars(each).get(self._name) is self._original)

    def _stands_in(self, current: Any) -> bool:
        """Whether ``current`` is our wrapper, or somebody's wrapper around it."""
        seen = 0
        while current is not None and seen < 100:
            if current is self._wrapper:
                return True
            current, seen = getattr(current, "__wrapped__", None), seen + 1
        return False


def _subclasses(owner: type | types.ModuleType) -> Iterator[type]:
    if isinstance(owner, type):
        each: type
        for each in type.__subclasses__(owner):
            yield each
            yield from _subclasses(each)


def callable_of(original: Any) -> Callable[..., Any]:
    """``original``, as it stands in its class, to be called with the instance as its first argument."""
    return original if type(original) is types.FunctionType else functools.partial(_call_bound, original)


def _call_bound(original: Any, instance: Any, /, *args: Any, **kwargs: Any) -> Any:
    # Another instrumentation's proxy may stand in the class, and want to know the instance it is called on.
    return original.__get__(instance, type(instance))(*args, **kwargs)
