"""One span for one run of a tool that two tell of: a framework, and the function that it runs, which is decorated.

The framework's call stands in the context. The function joins it, which then records nothing of its own; what the
function calls is on its own.
"""

from __future__ import annotations

import sys
import threading

from opentelemetry.context import Context, create_key, set_value
from opentelemetry.trace import Span, get_current_span

from sentrial import _session

_BODY = create_key("sentrial-tool-body")
_US = __name__.partition(".")[0]


class _Body:
    __slots__ = ("claim", "framework", "names", "span")

    def __init__(self, span: Span, names: frozenset[str], framework: str) -> None:
        self.span = span
        self.names = names
        self.framework = framework
        self.claim = threading.Lock()


def around(context: Context, span: Span, names: frozenset[str], framework: str) -> Context:
    """``context``, for the body of the tool call that has ``span``.

    ``names``: what the function that is the body may be called. ``framework``: the package whose code calls it.
    """
    return set_value(_BODY, _Body(span, names, framework), context)


def join(*names: str) -> bool:
    """Whether the function of these names, which is called here and now, is the body of the tool call around it.

    Only once: a body that calls itself does what it is asked to do again.
    """
    here = _session.live()
    body = here.get(_BODY)
    if not isinstance(body, _Body) or get_current_span(here) is not body.span:
        return False
    is_body = not body.names.isdisjoint(names) or _caller() == body.framework
    return is_body and body.claim.acquire(blocking=False)


def _caller() -> str:
    """The package that has called us. A program may give the tool another name than the function has."""
    frame = sys._getframe(1)
    while True:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package != _US or frame.f_back is None:
            return package
        frame = frame.f_back
