"""The model call that another instrumentation already tells of: ours would be a second one, with the same tokens.

Either its span is current where ours would begin, or it works around the client without making its span current: then
its own code is between the program and us. Its spans count in the session's totals.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import FrameType

from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from sentrial import _foreign, semconv
from sentrial._foreign import SCOPE, read_kinds
from sentrial._spans import joined

_INSTRUMENTATIONS = ("opentelemetry.instrumentation.", "openinference.instrumentation.")
"""What the modules of instrumentations that follow OpenTelemetry's ways begin with."""

_SWITCHED_OFF = ("opentelemetry.instrumentation.genai.", "openinference.instrumentation.anthropic")
"""Those whose wrappers fall silent when they are uninstrumented. Others' go on where the program has kept a method."""

_BETWEEN = ("sentrial", "wrapt", "opentelemetry", "openinference", "contextlib", "functools")
"""Packages, besides the client's own, whose code may run between an instrumentation and us for the same call."""

_DEEPEST = 60


def is_told_by_another(context: Context, client: str, packages: Sequence[str] = ()) -> bool:
    """Whether another instrumentation makes a span of the call that is about to be made in ``context``: said once.

    Args:
        context: the context that is current.
        client: the library, as users name it; instrumentations have it in the names of their modules.
        packages: the packages of the client's own code.
    """
    if joined.is_told_by_another():
        return True
    told_by = _current(context) or _around(client, packages)
    if told_by is None:
        return False
    _foreign.say_told_by(told_by, f"the calls of {client}")
    return True


def _current(context: Context) -> str | None:
    """Whose span of a model call is current."""
    span = get_current_span(context)
    scope = getattr(span, "instrumentation_scope", None)
    if scope is None or scope.name == SCOPE or not span.is_recording():
        return None
    attributes = getattr(span, "attributes", None)
    if not attributes or semconv.FOREIGN_MODEL_CALLS.isdisjoint(read_kinds(attributes)):
        return None
    return str(scope.name)


def _around(client: str, packages: Sequence[str]) -> str | None:
    """Which active instrumentation of ``client`` runs between the program and us, as the stack has it.

    Some begin their spans without making them current, and some only after the call. What the program calls by a road
    that they do not know has none of their code in it, and neither has a call that a tool makes inside theirs.
    """
    if sys.modules.keys().isdisjoint(_NAMESPACES):
        return None
    between = tuple(f"{package}." for package in (*packages, *_BETWEEN))
    frame: FrameType | None = sys._getframe(1)
    for _ in range(_DEEPEST):
        if frame is None:
            return None
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(_INSTRUMENTATIONS) and client in module:
            if not module.startswith(_SWITCHED_OFF) or _is_on(module):
                return module
        elif not f"{module}.".startswith(between):
            return None
        frame = frame.f_back
    return None


_NAMESPACES = frozenset(prefix.rstrip(".") for prefix in _INSTRUMENTATIONS)


def _is_on(module: str) -> bool:
    """Whether the instrumentation that ``module`` is of is switched on."""
    while module.startswith(_INSTRUMENTATIONS):
        for found in list(vars(sys.modules[module]).values()):
            if isinstance(found, type) and _foreign.is_on(getattr(found, "_instance", None)):
                return True
        module = module.rpartition(".")[0]
    return False
