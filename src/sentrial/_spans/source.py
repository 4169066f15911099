"""Where spans come from: the tracer, found when the first span is wanted and not before.

An application that sets its provider while it starts up finds the place free; :mod:`sentrial._setup` says which
provider it is once somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.trace import Tracer, TracerProvider

from sentrial import semconv
from sentrial._foreign import SCOPE
from sentrial._version import __version__


class _Found:
    """The tracer, once it is there. What makes it another one puts a new object in the place of this.

    So a tracer that was asked for before the change, and comes after it, lands where nobody looks any more.
    """

    __slots__ = ("tracer",)

    def __init__(self) -> None:
        self.tracer: Tracer | None = None


_resolve: Callable[[], TracerProvider] = trace.get_tracer_provider
_found = _Found()


def resolve_with(resolve: Callable[[], TracerProvider]) -> None:
    """Ask ``resolve`` for the provider, the next time that a tracer is wanted."""
    global _resolve
    _resolve = resolve
    forget()


def forget() -> None:
    """Ask again, the next time that a tracer is wanted."""
    global _found
    _found = _Found()


def tracer() -> Tracer:
    """The tracer of all spans of ours."""
    found = _found
    if found.tracer is None:
        found.tracer = _resolve().get_tracer(SCOPE, __version__, semconv.SCHEMA_URL)
    return found.tracer
