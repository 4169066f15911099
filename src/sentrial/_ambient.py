"""Sessions that begin by themselves (``SENTRIAL_AUTO_SESSION``), as those see them who have something to record.

What finds and opens them stands higher up, and only where somebody asked for it: :data:`finder` is where it is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakSet

from sentrial import _guard, _session
from sentrial._session import Session


class Finder(Protocol):
    """Who knows which request, which call or which run the work here belongs to."""

    def for_call(self) -> Session | None:
        """The session of a model call that is about to be made here; opened, if need be."""

    def around(self) -> Session | None:
        """The session of the request or the run around; opened, if need be. A call alone has none."""

    def covers(self, *, run: bool = True) -> bool:
        """Whether there is a request around, or, with ``run``, a run; nothing is opened."""


@dataclass(frozen=True, slots=True)
class Told:
    """How what a session was made for came to its end: ``error`` itself where it is known, else its words."""

    cancelled: bool = False
    failed: bool = False
    reason: str | None = None
    error_type: str | None = None
    error: BaseException | None = None


finder: Finder | None = None
"""Who finds them; ``None`` where no session begins by itself."""


def set_finder(new: Finder | None) -> None:
    """Ask ``new`` from now on."""
    global finder
    finder = new


opener: Callable[[Any], Session] | None = None
"""Who opens a session around the outermost run of a framework, given its ``Opening``; ``None`` where none is wanted."""


def set_opener(new: Callable[[Any], Session] | None) -> None:
    """Open with ``new`` from now on."""
    global opener
    opener = new


_tools: WeakSet[Any] = WeakSet()
_MAX_DECORATORS = 100


def remember_tool(function: Callable[..., Any]) -> None:
    """``function`` records its runs as tool calls by itself: it was decorated."""
    _tools.add(function)


def records_itself(function: object) -> bool:
    """Whether a run of ``function`` records itself as a tool call, perhaps below other decorators."""
    for _ in range(_MAX_DECORATORS):
        if function is None:
            break
        try:
            if function in _tools:
                return True
        except TypeError:
            pass  # it is nothing that could be decorated
        function = getattr(function, "__wrapped__", None) or getattr(function, "__func__", None)
    return False


def session_for_call() -> Session | None:
    """The session that a model call here belongs to: the one that is current, else one that begins by itself."""
    session = _session.current()
    if session is not None or finder is None:
        return session
    try:
        return finder.for_call()
    except Exception as error:  # noqa: BLE001 - the program's call is made, with or without a session
        _guard.failed("beginning a session of a call", error)
        return None


def session_for_event() -> Session | None:
    """The session that a tool call or a decision here belongs to."""
    session = _session.current()
    if session is not None or finder is None:
        return session
    try:
        return finder.around()
    except Exception as error:  # noqa: BLE001 - the program's own code runs, with or without a session
        _guard.failed("beginning a session of a request", error)
        return None


def is_session_here(*, run: bool = True) -> bool:
    """Whether work here belongs to a session, or would if it recorded something."""
    return _session.current() is not None or (finder is not None and finder.covers(run=run))
