"""A tool call or a decision around the call of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sentrial import semconv
from sentrial._decorated.run import How
from sentrial._session import Activation, Session
from sentrial._spans import event
from sentrial._spans.decision import Decision
from sentrial._spans.tool import ToolCall


class AroundFunction:
    """``live``, current from here on. ``say``: what tells it of the function's result."""

    __slots__ = ("_activation", "_live", "_say")

    def __init__(self, session: Session, live: ToolCall | Decision, say: Callable[[Any], None]) -> None:
        self._live = live
        self._say = say
        self._activation: Activation | None = None
        # Switched off, there is a span without identity: made current, it would hide the caller's.
        if live.span.get_span_context().is_valid:
            self._activation = Activation(event.context_of(live.span, session))

    def leave(self) -> None:
        """Make current again what was."""
        if self._activation is not None:
            self._activation.leave()

    def end(self, how: How) -> None:
        """End the event."""
        try:
            for key, value in ((semconv.SENTRIAL_STREAM_END, how.stream_end), (semconv.SENTRIAL_TRUNCATED, how.cut)):
                if value is not None:
                    self._live.span.set_attribute(key, value)
            if how.said:
                self._say(how.output)
        finally:
            self._live.end(how.error, how.at)
