"""The context that the body of a generator runs in: its own, wherever its steps are taken.

A generator is stepped by whoever holds it: by one task after another, by a pool's threads, by the garbage collector.
What is current in its body must not be so in its consumer, and has to be there again at the next step. And what the
body made current by OpenTelemetry's means is taken back with a token, which works in the context object that made it
only. So the body runs in a context object of its own. All other context variables of the program go in before each
step and come out after it, as if there was none; only what the body itself has set stays with it in any task.
"""

from __future__ import annotations

from contextvars import Context, ContextVar, Token, copy_context
from functools import lru_cache
from typing import Any

from opentelemetry import context as otel_context

from sentrial import _guard, _runtime


def _nothing() -> None:
    """What is left of an exchange that failed: the body runs all the same."""


class OwnContext:
    """The context object of one body. ``run`` runs a step in it, between :meth:`arrive` and :meth:`depart`."""

    __slots__ = ("__weakref__", "_arrived", "_given", "_here", "_inside", "_taken", "run")

    def __init__(self) -> None:
        self._inside = Context()
        self._here = self._arrived = self._inside
        # A variable can be unset by the token alone that has set it where it was not: here what came in, there what
        # went out.
        self._taken: dict[ContextVar[Any], Token[Any]] = {}
        self._given: dict[ContextVar[Any], Token[Any]] = {}
        self.run = self._inside.run
        self.run(_runtime.attach, _runtime.get_current())

    @_guard.guarded("entering a generator's body", _nothing)
    def arrive(self) -> None:
        """Take in what the one who steps has set, and unset."""
        inside = self._inside
        here = self._here = copy_context()
        current = _current()
        for variable, value in here.items():
            before = inside.get(variable, _UNSET)
            if before is not value and variable is not current:
                token = inside.run(variable.set, value)
                if before is _UNSET:
                    self._taken[variable] = token
        for variable in [variable for variable in self._taken if variable not in here]:
            token = self._taken.pop(variable)
            if variable in inside:
                inside.run(variable.reset, token)
        self._arrived = inside.copy()

    @_guard.guarded("leaving a generator's body", _nothing)
    def depart(self) -> None:
        """Hand out what the body has set in this step, and unset."""
        inside, arrived = self._inside, self._arrived
        current = _current()
        for variable, value in inside.items():
            if arrived.get(variable, _UNSET) is not value and variable is not current:
                token = variable.set(value)
                if variable not in self._here:
                    self._given[variable] = token
        for variable in [variable for variable in arrived if variable not in inside]:
            self._taken.pop(variable, None)
            if variable in self._given:
                try:
                    variable.reset(self._given.pop(variable))
                except ValueError:
                    continue  # it was handed out to another task, and there it stays


_UNSET = object()


def _current() -> ContextVar[Any] | None:
    """The variable that what is current is kept in. It is private: setting it apart shows which it is."""
    return _variable(_runtime.is_apart())


@lru_cache(maxsize=2)
def _variable(_is_apart: bool) -> ContextVar[Any] | None:
    probe, apart = otel_context.Context(), Context()
    apart.run(_runtime.attach, probe)
    return next((variable for variable, value in apart.items() if value is probe), None)
