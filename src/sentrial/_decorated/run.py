"""The flow of a decorated call, written once and without waiting: the drivers tell it what happens.

Nothing here raises into the program (but in our own tests, see :mod:`sentrial._guard`), and nothing changes what it
gets: a call that cannot be recorded is made all the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

from sentrial import _guard
from sentrial._decorated.own_context import OwnContext
from sentrial._decorated.yielded import Yielded
from sentrial._patch import abandoned
from sentrial._spans import failure
from sentrial._spans.llm import STREAM_CANCELLED, STREAM_CLOSED, STREAM_DRAINED, STREAM_ERROR


class How(NamedTuple):
    """How a run ended. ``output`` counts where ``said``; ``cut``: what of it was left out, in words.

    ``at``: nanoseconds since the epoch; now, if not given.
    """

    output: Any = None
    said: bool = False
    error: BaseException | None = None
    stream_end: str | None = None
    cut: str | None = None
    at: int | None = None


class Event(Protocol):
    """What a call is recorded as: made current where it is opened, before the function runs."""

    def leave(self) -> None:
        """Make current again what was."""

    def end(self, how: How) -> None:
        """End it. Need not be called where it was opened."""


class Decoration(Protocol):
    """What a decorator knows of the function that it decorates."""

    def wanted(self) -> bool:
        """Whether a call that is made here and now is recorded: where not, nothing else is asked for."""

    def open(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Event | None:
        """Open the event of a call with these arguments; ``None`` where it is not recorded after all."""


def _nothing() -> None:
    """What is left of a part that failed: the program goes on all the same."""


class Run:
    """One call, from its first step until its event ends: once, whoever says so first."""

    __slots__ = ("_claim", "_error", "_event", "_moment", "_yielded", "forget", "over")

    def __init__(self, event: Event) -> None:
        self._event = event
        self._yielded: Yielded | None = None
        self._error: BaseException | None = None
        self._moment: int | None = None
        self.forget: Callable[[Any], None] | None = None
        self.over = False
        # Taken once and never given back: "first come" that is safe inside the garbage collector too.
        self._claim = threading.Lock()

    # --- the call --------------------------------------------------------------------------------------------------

    @_guard.guarded("ending a decorated function", _nothing)
    def returned(self, result: object) -> None:
        """The function has returned."""
        if self.claim():
            self.leave()
            self._end(How(result, said=True))

    @_guard.guarded("ending a decorated function", _nothing)
    def raised(self, error: BaseException) -> None:
        """An exception has left the function."""
        if self.claim():
            self.leave()
            self._end(How(error=error, stream_end=STREAM_CANCELLED if failure.outcome_of_control_flow(error) else None))

    @_guard.guarded("ending a decorated function", _nothing)
    def dropped(self, error: GeneratorExit) -> None:
        """The coroutine was closed: by the garbage collector, perhaps, where nothing can be ended."""
        self.leave()
        self._put_aside(STREAM_CANCELLED, error)

    @_guard.guarded("leaving a decorated function", _nothing)
    def leave(self) -> None:
        """What the function ran in is not current any more."""
        self._event.leave()

    # --- its steps -------------------------------------------------------------------------------------------------

    @_guard.guarded("watching a generator", _nothing)
    def watch(self, own: OwnContext) -> None:
        """It has steps, and whoever takes them holds ``own``: gone with them, it takes the run along."""
        abandoned.watch(own, cast(Any, self))

    def apart(self) -> OwnContext | None:
        """The function has returned, and what it gave back runs later: in the context that this gives."""
        own = _own_context()
        if own is None:
            self.returned(None)
            return None
        self.leave()
        self.watch(own)
        return own

    @_guard.guarded("keeping what was yielded", _nothing)
    def item(self, value: object) -> None:
        """The body has yielded ``value``."""
        if not self.over:
            self._moment = time.time_ns()
            if self._yielded is None:
                self._yielded = Yielded()
            self._yielded.add(value)

    @_guard.guarded("ending a generator", _nothing)
    def drained(self, result: object, *, closing: bool) -> None:
        """The body has returned ``result``, perhaps because it is ``closing``."""
        if closing:
            self._put_aside(STREAM_CLOSED, None)
        elif self.claim():
            self._end(self._gathered(result)._replace(stream_end=STREAM_DRAINED))

    @_guard.guarded("ending a generator", _nothing)
    def broke(self, error: BaseException, *, closing: bool) -> None:
        """An exception has left the body, perhaps because it is ``closing``: that may be the garbage collector's."""
        if closing or isinstance(error, GeneratorExit):
            self._put_aside(STREAM_CLOSED, error)
        elif self.claim():
            self._end(self._gathered()._replace(error=error, stream_end=_end_by(error)))

    # --- its end ---------------------------------------------------------------------------------------------------

    def claim(self) -> bool:
        """Whether the caller is the first who wants to end this run, and so the one who must."""
        if self.over or not self._claim.acquire(blocking=False):
            return False
        self.over = True
        if self.forget is not None:
            self.forget(self)
        return True

    def _put_aside(self, stream_end: str, error: BaseException | None) -> None:
        if not self.over:
            self._error = error or GeneratorExit()
            self._moment = time.time_ns()
            abandoned.put_aside(cast(Any, self), _end_by(self._error, stream_end))

    def end_claimed(self, stream_end: str) -> None:
        """End the run, later than it was claimed: on a thread of ours, at the time of its last step."""
        error, self._error = self._error or GeneratorExit(), None
        self._event.end(self._gathered()._replace(error=error, stream_end=stream_end, at=self._moment))

    def _gathered(self, result: object = None) -> How:
        yielded, self._yielded = self._yielded, None
        if yielded is None:
            # A body that yields nothing says what it has to say when it returns.
            return How(result, said=result is not None)
        try:
            return How(yielded.output(), said=True, cut=yielded.cut())
        except Exception as error:  # noqa: BLE001 - an event without its output is better than none
            _guard.failed("joining what was yielded", error)
            return How()

    @_guard.guarded("ending a decorated function", _nothing)
    def _end(self, how: How) -> None:
        self._event.end(how)


def _end_by(error: BaseException, otherwise: str = STREAM_CANCELLED) -> str:
    if isinstance(error, GeneratorExit):
        return otherwise
    return STREAM_CANCELLED if failure.outcome_of_control_flow(error) else STREAM_ERROR


def begin(decoration: Decoration, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Run | None:
    """The run of a call that is about to be made; ``None`` where it is not recorded.

    Raises:
        RefusedError: for what cannot be used, where the application's client is not to fail silently.
    """
    try:
        event = decoration.open(args, kwargs) if decoration.wanted() else None
        return None if event is None else Run(event)
    except _guard.RefusedError:
        raise
    except Exception as error:  # noqa: BLE001 - what we cannot record must still run
        _guard.failed("beginning a decorated function", error)
        return None


@_guard.guarded("beginning a decorated generator", lambda: (None, None))
def begin_apart(
    decoration: Decoration, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Run, OwnContext] | tuple[None, None]:
    """The run of a generator's body, and the context to take its steps in.

    Raises:
        RefusedError: as :func:`begin`.
    """
    own = _own_context(decoration)
    run = own.run(begin, decoration, args, kwargs) if own is not None else None
    if own is None or run is None:
        return None, None
    run.watch(own)
    return run, own


def _own_context(decoration: Decoration | None = None) -> OwnContext | None:
    try:
        return OwnContext() if decoration is None or decoration.wanted() else None
    except Exception as error:  # noqa: BLE001 - as above
        _guard.failed("making a generator's own context", error)
        return None
