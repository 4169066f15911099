"""The request that is answered though its span is not current any more.

The instrumentations of some frameworks take the span off before a streamed answer is made: its model calls would be
nobody's. The thread that made the request still makes the answer, until the framework says that it begins another one.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar

from opentelemetry.sdk.trace import Span

from sentrial import _guard
from sentrial._export.scope import Scope

_SIGNALS = {
    "opentelemetry.instrumentation.django": ("django.core.signals", "request_started"),
    "opentelemetry.instrumentation.flask": ("flask.signals", "request_started"),
}
"""By instrumentation, what its framework says of every request when it begins, with a span or without."""

_request: ContextVar[Scope | None] = ContextVar("sentrial-request", default=None)
_heard: set[str] = set()


def remember(scope: Scope, span: Span) -> None:
    """The request of ``span`` begins here; it is remembered where the beginning of the next one will be heard."""
    before = span.instrumentation_scope
    name = before.name if before is not None else ""
    if any(_hear(framework) for framework in _SIGNALS if name.startswith(framework)):
        _request.set(scope)


def current() -> Scope | None:
    """The request that is answered here, if its span has ended and it is not over."""
    scope = _request.get()
    return None if scope is None or scope.over or scope.owner_runs else scope


def forget(*_: object, **__: object) -> None:
    """Another request begins here."""
    _request.set(None)


def _hear(framework: str) -> bool:
    if framework not in _heard:
        module, name = _SIGNALS[framework]
        signal = getattr(sys.modules.get(module), name, None)
        if signal is None:
            return False
        try:
            signal.connect(forget, weak=False)
        except RuntimeError:  # Flask < 2.3 without blinker: its signals cannot be heard
            return False
        except Exception as error:  # noqa: BLE001 - another version's signal; without it, the request is not remembered
            _guard.failed(f"hearing {module}.{name}", error)
            return False
        _heard.add(framework)
    return True
