"""What is patched inside a call, besides the method that makes it: its attempts, and the client's own tracer."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.context import get_current
from opentelemetry.trace import NoOpTracer

from sentrial import _guard
from sentrial._patch import attempts, call, doubled
from sentrial._patch.method import callable_of
from sentrial._patch.switch import Switch
from sentrial._spans import source


def build_attempt(original: Any, switch: Switch, outside: Callable[[], None]) -> Any:
    """The method that runs once for each attempt, told of; ``outside`` is told where no call of ours is under way."""

    def tell(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        found = attempts.current()
        if found is None:
            outside()
        elif found.are_of(args[0]):
            found.sends(args[1:], kwargs)

    return _before(original, switch, tell)


def build_refused(original: Any, switch: Switch) -> Any:
    """The method that gets the answer of a failed attempt, told of."""
    of_class = isinstance(original, classmethod)

    def tell(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        found = attempts.current()
        if found is not None and len(args) > 1 and (of_class or found.are_of(args[0])):
            found.refused(getattr(args[1], "status_code", None))

    return _before(original, switch, tell)


def _before(original: Any, switch: Switch, tell: Callable[[Sequence[Any], Mapping[str, Any]], None]) -> Any:
    """``original``, as it stands in its class, with ``tell`` run before it."""
    if isinstance(original, classmethod):
        return classmethod(_before(original.__func__, switch, tell))
    run = callable_of(original)
    guarded = _guard.guarded("telling of an attempt", _guard.nothing)(tell)

    def told(*args: Any, **kwargs: Any) -> Any:
        if switch.on and args:
            guarded(args, kwargs)
        return run(*args, **kwargs)

    async def told_async(*args: Any, **kwargs: Any) -> Any:
        return await told(*args, **kwargs)

    # Some clients ask which of the two it is.
    return functools.update_wrapper(told_async if inspect.iscoroutinefunction(original) else told, original)


def build_own_tracer(original: Any, switch: Switch) -> Any:
    """The property that gives the tracer of the client's own spans: none for what ours tell of, or another's do."""
    package = original.fget.__module__.partition(".")[0]

    def tracer(client: Any) -> Any:
        found = original.__get__(client, type(client))
        return None if found is not None and _is_doubled(found, client, switch, package) else found

    return property(tracer, getattr(original, "__set__", None), getattr(original, "__delete__", None))


@_guard.guarded("looking for a client's own spans", bool)
def _is_doubled(theirs: Any, client: Any, switch: Switch, package: str) -> bool:
    """Whether a span of ``theirs`` would stand beside one of ours, or of an instrumentation that we leave the call to.

    Where they go elsewhere, the program wants them.
    """
    context = get_current()
    if not switch.takes(client) or call.is_suppressed(context):
        return False
    if not (_leads_nowhere(theirs) or _road(theirs) is _road(source.tracer())):
        return False
    return call.is_told() or doubled.is_told_by_another(context, package, (package,))


def _road(tracer: Any) -> Any:
    """Where the spans of a tracer go; ``None`` where nobody can say."""
    return getattr(_real(tracer), "span_processor", None)


def _leads_nowhere(tracer: Any) -> bool:
    """Whether nobody gets its spans. The client would send the id of ours to the provider in their place."""
    return isinstance(_real(tracer), NoOpTracer)


def _real(tracer: Any) -> Any:
    # What is handed out before there is a provider holds the tracer that it turns into.
    return getattr(tracer, "_tracer", tracer)
