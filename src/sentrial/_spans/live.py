"""An event that is under way: ``with`` and ``async with``, current while its block runs.

It lives in the user's code: whatever fails in here, the block runs, and its exception is its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Span

from sentrial import _config, _guard
from sentrial._session import Activation, Session
from sentrial._spans import event
from sentrial._unknown_arguments import lenient

Self = TypeVar("Self", bound="LiveEvent")
P = ParamSpec("P")


def setter(
    place: str,
) -> Callable[[Callable[Concatenate[Self, P], None]], Callable[Concatenate[Self, P], None]]:
    """A decorator for what the user's code calls inside the block: a failure of ours does not reach it.

    What is called after the block says nothing any more, and is told so.
    """

    def decorate(function: Callable[Concatenate[Self, P], None]) -> Callable[Concatenate[Self, P], None]:
        quiet = _guard.guarded(place, _guard.nothing)(lenient()(function))

        @functools.wraps(function)
        def call(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> None:
            if self._loud or self._ended:
                with _guard.raising(self._loud):
                    if not self._ended:
                        quiet(self, *args, **kwargs)
                    elif not self._is_blank:
                        _say_it_is_over(function.__name__)
            else:
                quiet(self, *args, **kwargs)

        return call

    return decorate


def _say_it_is_over(setter: str) -> None:
    _guard.refuse(
        "told after the end",
        "sentrial: %s() after the end of its block is not recorded: call it inside the block.",
        setter,
    )


class LiveEvent:
    """Something with a beginning and an end in this program. What starts inside its block nests under it.

    Made inside :func:`_guard.raising`, what it is told later is raised, too, where it is refused.
    """

    __slots__ = ("_activation", "_ended", "_is_blank", "_loud", "_session", "span")

    def __init__(self, session: Session) -> None:
        self._loud = _guard.is_raising()
        self._ended = self._is_blank = False
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


def blank(kind: type[Self], session: Session) -> Self:
    """An event that says nothing and ends nothing, for a block that has to run though none could be made."""
    made = kind.__new__(kind)
    LiveEvent.__init__(made, session)
    made._ended = made._is_blank = True
    return made
