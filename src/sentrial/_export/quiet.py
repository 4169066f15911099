"""Calls that nobody instruments: what we send must not become a span that we send."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# Private, but the name under which the SDK's own exporters and every instrumentation know it, in all versions allowed.
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value


@contextmanager
def without_instrumentation() -> Iterator[None]:
    """Keeps HTTP and gRPC instrumentations off the calls made inside, in this thread or task."""
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        yield
    finally:
        detach(token)
