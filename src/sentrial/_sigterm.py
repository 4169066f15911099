"""SIGTERM in a program that knows nothing of us: what is queued leaves first, then the program ends as it would have.

Python's own way is to end at once, without the handlers of ``atexit``; servers that catch the signal send it to
themselves again once they have shut down. So the default is ours: where the program asks for the default, or what is in
force, it sees the default. Whoever sets a handler has it.
"""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

LONGER = 2.0
"""Seconds that delivery may take beyond its own limit, until it is given up."""

_deliver: Callable[[], None] | None = None
_longest = 0.0


def deliver_first(deliver: Callable[[], None], longest: float) -> None:
    """Have SIGTERM call ``deliver``, and wait ``longest`` seconds for it, wherever its default is in force."""
    global _deliver, _longest
    first, _deliver, _longest = _deliver is None, deliver, longest
    if threading.current_thread() is not threading.main_thread() or not first or os.name == "nt":
        return
    is_default = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    _put_in_place()
    if is_default:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:
    # On a thread: this one was interrupted anywhere, perhaps while it holds a lock that delivery needs.
    thread = threading.Thread(target=_deliver, name="sentrial last delivery", daemon=True)
    try:
        thread.start()
        thread.join(_longest + LONGER)
    finally:
        _set(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


_set = signal.signal
_get = signal.getsignal


def _put_in_place() -> None:
    @functools.wraps(_set)
    def set_handler(signalnum: Any, handler: Any) -> Any:
        if signalnum == signal.SIGTERM and handler == signal.SIG_DFL:
            handler = _end
        return _shown(_set(signalnum, handler))

    @functools.wraps(_get)
    def get_handler(signalnum: Any) -> Any:
        return _shown(_get(signalnum))

    signal.signal, signal.getsignal = set_handler, get_handler


def _shown(handler: Any) -> Any:
    return signal.SIG_DFL if handler is _end else handler
