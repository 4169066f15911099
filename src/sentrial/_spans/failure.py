"""How a failure stands on any span: status, ``error.type``, and the exception where there is one."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, cast

from opentelemetry.trace import Span, Status, StatusCode

from sentrial import _guard, _payload, semconv
from sentrial._json import encodable
from sentrial._snapshot import Tally, snapshot

MAX_WORDS = 4_000
"""Characters of an error's words that are kept."""

MAX_STACK = 20_000
"""Characters of a stack trace that are kept, from its end: the place of the failure stands there."""

# A secret that a cut would halve has to be seen whole: this much more is masked than is kept.
_MARGIN = 4_000


def write_failure(span: Span, reason: object, error_type: str | None = None) -> None:
    """Mark ``span`` as failed for ``reason``; ``error_type`` is ``_OTHER`` where nobody knows better."""
    words = masked(reason) if reason is not None else ""
    span.set_status(Status(StatusCode.ERROR, words or None))
    span.set_attribute(semconv.ERROR_TYPE, error_type or semconv.ERROR_TYPE_OTHER)


def write_exception(span: Span, error: BaseException) -> None:
    """Mark ``span`` as failed by ``error``, and add the exception event."""
    write_failure(span, describe(error), type_name(error))
    span.add_event(semconv.EXCEPTION_EVENT, exception_event(type_name(error), read_words(error), read_stack(error)))


def write_left(span: Span, error: BaseException) -> None:
    """Mark ``span`` by what left its block: as failed, or, for a way to leave that is no failure, by its outcome."""
    outcome = outcome_of_control_flow(error)
    if outcome is None:
        write_exception(span, error)
    else:
        span.set_attribute(semconv.SENTRIAL_OUTCOME, outcome)


def exception_event(error_type: str, message: object, stack: object) -> dict[str, Any]:
    """The attributes of an exception event, with what is secret masked."""
    event = {semconv.EXCEPTION_TYPE: error_type, semconv.EXCEPTION_MESSAGE: masked(message)}
    if is_told(stack):
        lines = "".join(map(read_words, stack)) if _guard.is_a(stack, list, tuple) else read_words(stack)
        # What is cut is the beginning: the place of the failure stands at the end.
        event[semconv.EXCEPTION_STACKTRACE] = _masked_end(lines)
    return event


def write_told(span: Span, error: object) -> None:
    """Mark ``span`` as failed by what the caller tells: an exception, words, or ``{"message": ..., "type": ...}``."""
    told = _read_told(error)
    if _guard.is_a(told, BaseException):
        write_exception(span, told)
    elif _guard.is_a(told, dict):
        words = told.get("message")
        write_failure(span, told if words is None else words, type_of_told(told))
    else:
        write_failure(span, told, type_of_told(told))


def type_of_told(error: object) -> str:
    """What :func:`write_told` makes the ``error.type``."""
    told = _read_told(error)
    if _guard.is_a(told, BaseException):
        return type_name(told)
    kind = told.get("type") if _guard.is_a(told, dict) else None
    return (masked(kind) if kind is not None else "") or semconv.ERROR_TYPE_OTHER


def _read_told(error: object) -> object:
    # A mapping of the user's may raise anything when it is read.
    return snapshot(error, Tally()) if issubclass(type(error), Mapping) else error


def is_told(error: object) -> bool:
    """Whether ``error`` says that something went wrong: ``None``, ``False`` and empty words do not."""
    if error is None or _guard.is_a(error, BaseException):
        return error is not None
    try:
        return bool(error)
    except Exception:  # noqa: BLE001 - __bool__ is the user's own code; what is there was given for a reason
        return True


def read_reason(reason: object) -> str | None:
    """Why something failed, in words; ``None`` where nothing says it."""
    if _guard.is_a(reason, BaseException):
        return describe(reason)
    return (read_words(reason) if reason is not None else "") or None


_CONTROL_FLOW = (
    asyncio.CancelledError,
    concurrent.futures.CancelledError,
    GeneratorExit,
    KeyboardInterrupt,
    StopAsyncIteration,
    StopIteration,
    SystemExit,
)


# By class, never by name: an exception of the program's own may be called the same. The first that fits counts.
_CONTROL_FLOW_OF_FRAMEWORKS = (
    ("langgraph.errors", "GraphInterrupt", semconv.OUTCOME_PAUSED),
    ("langgraph.errors", "GraphBubbleUp", semconv.OUTCOME_COMPLETED),
    ("trio", "Cancelled", semconv.OUTCOME_CANCELLED),
    ("greenlet", "GreenletExit", semconv.OUTCOME_CANCELLED),
)

# Python 3.10 has none of its own.
_HOMES_OF_GROUPS = ("builtins", "exceptiongroup")


def outcome_of_control_flow(error: BaseException) -> str | None:
    """The outcome where ``error`` is a way to leave and no failure; ``None`` where it is a failure."""
    if isinstance(error, _CONTROL_FLOW):
        return semconv.OUTCOME_CANCELLED
    for module, name, outcome in _CONTROL_FLOW_OF_FRAMEWORKS:
        found = getattr(sys.modules.get(module), name, None)
        if isinstance(found, type) and isinstance(error, found):
            return outcome
    # A nursery of trio's that is cancelled raises what each of its tasks was left by.
    outcomes = {outcome_of_control_flow(each) for each in _grouped(error)}
    return outcomes.pop() if len(outcomes) == 1 else None


def _grouped(error: BaseException) -> Sequence[BaseException]:
    for home in _HOMES_OF_GROUPS:
        group = getattr(sys.modules.get(home), "BaseExceptionGroup", None)
        if isinstance(group, type) and isinstance(error, group):
            return cast(Sequence[BaseException], getattr(error, "exceptions", ()))
    return ()


def type_name(error: BaseException) -> str:
    """The qualified name of the exception's class, as the conventions want it in ``error.type``."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def describe(error: BaseException) -> str:
    """``Type: words``, as a failure reason."""
    words = read_words(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def read_words(value: object) -> str:
    """``str(value)``, where it can be had; of a text what it holds."""
    try:
        return str.__str__(value if _guard.is_a(value, str) else str(value))
    except Exception:  # noqa: BLE001 - __str__ is the user's own code
        return "(its words cannot be read)"


def read_stack(error: BaseException) -> str | None:
    """The stack trace of ``error``, where it can be had."""
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:  # noqa: BLE001 - the exception's class is the user's own code
        return None


def masked(text: object) -> str:
    """``text`` without secrets, cut, and fit to be encoded: it goes onto the span, where every exporter sees it."""
    words = read_words(text)
    shown = _mask(words[: MAX_WORDS + _MARGIN])
    return shown[: _room(words, shown, MAX_WORDS)]


def _masked_end(lines: str) -> str:
    shown = _mask(lines[-(MAX_STACK + _MARGIN) :])
    room = _room(lines, shown, MAX_STACK)
    return shown[-room:] if room else ""


def _mask(text: str) -> str:
    return encodable(_payload.policy.masker.mask(text))


def _room(text: str, shown: str, most: int) -> int:
    """How much of ``shown`` is kept: the margin goes, where it was cut itself and may hold half a secret."""
    return min(most, max(0, len(shown) - _MARGIN) if len(text) > most + _MARGIN else len(shown))
