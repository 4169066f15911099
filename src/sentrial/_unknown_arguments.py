"""Arguments that a function of ours does not have: said with the remedy and left out, while all others count.

A mistyped name must not cost the program what stands beside it, such as ``capture_content=False``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from sentrial import _guard

P = ParamSpec("P")
R = TypeVar("R")


def lenient(instead: Mapping[str, str] | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator for functions that users call by keywords; type checkers see the function as it is.

    Args:
        instead: by the name of an argument that the function does not have: what to do to the same end.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except TypeError:
                names = _names(function)
                unknown = [name for name in kwargs if name not in names]
                if not unknown:
                    raise
            # Nothing of the function has run: Python looks at the arguments first.
            known: dict[str, Any] = {name: value for name, value in kwargs.items() if name in names}
            with _guard.refusing(_words(function, unknown, names, instead or {})):
                return call(*args, **known)

        return call

    return decorate


def _names(function: Callable[..., Any]) -> Sequence[str]:
    """The arguments of ``function`` that can be given by name."""
    parameters = inspect.signature(function).parameters.values()
    return [each.name for each in parameters if each.kind is not each.POSITIONAL_ONLY and each.name != "self"]


def _words(
    function: Callable[..., Any], unknown: Sequence[str], names: Sequence[str], instead: Mapping[str, str]
) -> Iterator[str]:
    from difflib import get_close_matches  # not before somebody mistypes

    called = function.__name__ if function.__name__ != "__init__" else function.__qualname__.partition(".")[0]
    for name in unknown:
        nearest = get_close_matches(name, names, 1)
        remedy = instead.get(name) or (f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(names)}.")
        yield (f"sentrial: {_guard.shown(name, str)} is no argument of {called}(), and is ignored: {remedy}")
