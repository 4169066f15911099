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

_resolve: Callable[[], TracerProvider] = trace.get_tracer_provider
_tracer: Tracer | None = None


def resolve_with(resolve: Callable[[], TracerProvider]) -> None:
    """Ask ``resolve`` for the provider, the next time that a tracer is wanted."""
    global _resolve, _tracer
    _resolve, _tracer = resolve, None


def forget() -> None:
    """Ask again, the next time that a tracer is wanted."""
    global _tracer
    _tracer = None


def tracer() -> Tracer:
    """The tracer of all spans of ours."""
    global _tracer
    found = _tracer
    if found is None:
        found = _tracer = _resolve().get_tracer(SCOPE, __version__, semconv.SCHEMA_URL)
    return found
