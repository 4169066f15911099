"""An event that is under way: ``with`` and ``async with``, current while its block runs.

It lives in the user's code: whatever fails in here, the block runs, and its exception is its own.
"""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Span

from sentrial import _config, _guard
from sentrial._session import Activation, Session
from sentrial._spans import event


def nothing() -> None:
    """What a call of ours gives that failed, and that gives nothing anyway."""


Self = TypeVar("Self", bound="LiveEvent")


class LiveEvent:
    """Something with a beginning and an end in this program. What starts inside its block nests under it."""

    __slots__ = ("_activation", "_session", "span")

    def __init__(self, session: Session) -> None:
        self.span: Span = INVALID_SPAN
        self._session = session
        self._activation: Activation | None = None

    def end(self, error: BaseException | None = None, end_time: int | None = None) -> None:
        """End it; a second time does nothing. ``end_time``: nanoseconds since the epoch."""
        raise NotImplementedError

    def __enter__(self: Self) -> Self:
        self._enter()
        return self

    async def __aenter__(self: Self) -> Self:
        self._enter()
        return self

    def _enter(self) -> None:
        try:
            context = event.context_of(self.span, self._session)
            # Switched off, there is a span without identity: made current, it would hide the caller's.
            if trace.get_current_span(context).get_span_context().is_valid and _config.active.enabled:
                self._activation = Activation(context)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach the user's block
            _guard.failed("entering an event", error)

    def _leave(self, error: BaseException | None) -> None:
        try:
            if self._activation is not None:
                self._activation.leave()
            self.end(error)
        except Exception as own:  # noqa: BLE001 - nothing of ours may replace the user's exception
            _guard.failed("leaving an event", own)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(error)
