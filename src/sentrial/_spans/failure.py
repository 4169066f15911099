"""How a failure stands on any span: status, ``error.type``, and the exception where there is one."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

from opentelemetry.trace import Span, Status, StatusCode

from sentrial import _payload, semconv

MAX_WORDS = 4_000
"""Characters of an error's words that are kept."""

MAX_STACK = 20_000
"""Characters of a stack trace that are kept, from its end: the place of the failure stands there."""


def write_failure(span: Span, reason: str | None, error_type: str | None = None) -> None:
    """Mark ``span`` as failed for ``reason``; ``error_type`` is ``_OTHER`` where nobody knows better."""
    span.set_status(Status(StatusCode.ERROR, masked(reason)[:MAX_WORDS] if reason else None))
    span.set_attribute(semconv.ERROR_TYPE, error_type or semconv.ERROR_TYPE_OTHER)


def write_exception(span: Span, error: BaseException) -> None:
    """Mark ``span`` as failed by ``error``, and add the exception event."""
    write_failure(span, describe(error), type_name(error))
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    span.add_event(
        semconv.EXCEPTION_EVENT,
        exception_event(type_name(error), _words(error), stack),
    )


def exception_event(error_type: str, message: str, stack: str | None) -> dict[str, Any]:
    """The attributes of an exception event, with what is secret masked."""
    event = {semconv.EXCEPTION_TYPE: error_type, semconv.EXCEPTION_MESSAGE: masked(message)[:MAX_WORDS]}
    if stack:
        event[semconv.EXCEPTION_STACKTRACE] = masked(stack[-MAX_STACK:])
    return event


def is_control_flow(error: BaseException) -> str | None:
    """The outcome where ``error`` is a way to leave and no failure; ``None`` where it is a failure."""
    if isinstance(error, asyncio.CancelledError | GeneratorExit | KeyboardInterrupt | SystemExit):
        return "cancelled"
    return None


def type_name(error: BaseException) -> str:
    """The qualified name of the exception's class, as the conventions want it in ``error.type``."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def describe(error: BaseException) -> str:
    """``Type: words``, as a failure reason."""
    words = _words(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def masked(text: str) -> str:
    """``text`` without secrets, fit to be encoded: it goes onto the span, where every exporter sees it."""
    return _payload.policy.masker.mask(text).encode("utf-8", "replace").decode("utf-8")


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - __str__ is the user's own code
        return "(its words cannot be read)"
