"""Where what is current is kept: in OpenTelemetry's context, or in a place apart.

Apart where another tracer's own context stands in the place of OpenTelemetry's, as Datadog's does: it keeps the current
span and nothing else, so that no session would be found again; and a span of ours that is current there becomes the
parent of spans that go to a backend which never gets it.
"""

from __future__ import annotations

import contextvars
from contextvars import Token

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

_place: ContextVarsRuntimeContext | None = None
_is_apart = False


def keep_apart() -> None:
    """Keep what is current apart from now on: nobody else sees it."""
    global _place, _is_apart
    if _place is None:
        _place = ContextVarsRuntimeContext()
    _is_apart = True


def join() -> None:
    """Keep it in OpenTelemetry's context, as in the beginning."""
    global _is_apart
    _is_apart = False


def is_apart() -> bool:
    """Whether it is kept apart."""
    return _is_apart


def keeps_values() -> bool:
    """Whether OpenTelemetry's context gives back what is put into it."""
    key = otel_context.create_key("sentrial-probe")

    def probe() -> bool:
        otel_context.attach(otel_context.set_value(key, True, Context()))
        return otel_context.get_value(key) is True

    return contextvars.Context().run(probe)


def get_current() -> Context:
    """The current context."""
    return _place.get_current() if _is_apart and _place is not None else otel_context.get_current()


def attach(context: Context) -> Token[Context]:
    """Make ``context`` current; the token leads back."""
    return _place.attach(context) if _is_apart and _place is not None else otel_context.attach(context)


def detach(token: Token[Context]) -> None:
    """Make current what was before the ``attach`` that gave ``token``."""
    if _is_apart and _place is not None:
        _place.detach(token)
    else:
        otel_context.detach(token)
