"""A method of a class, or a function of a module, patched and as it was: put in, taken back, left to others on top."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
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
        return True

    def take_back(self, owner: type | types.ModuleType) -> None:
        """Put the original back, unless somebody else has patched on top of us."""
        if self._wrapper is not None and vars(owner).get(self._name) is self._wrapper:
            setattr(owner, self._name, self._original)

    def _stands_in(self, current: Any) -> bool:
        """Whether ``current`` is our wrapper, or somebody's wrapper around it."""
        seen = 0
        while current is not None and seen < 100:
            if current is self._wrapper:
                return True
            current, seen = getattr(current, "__wrapped__", None), seen + 1
        return False


def callable_of(original: Any) -> Callable[..., Any]:
    """``original``, as it stands in its class, to be called with the instance as its first argument."""
    return original if type(original) is types.FunctionType else functools.partial(_call_bound, original)


def _call_bound(original: Any, instance: Any, /, *args: Any, **kwargs: Any) -> Any:
    # Another instrumentation's proxy may stand in the class, and want to know the instance it is called on.
    return original.__get__(instance, type(instance))(*args, **kwargs)
