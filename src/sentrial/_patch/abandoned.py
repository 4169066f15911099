"""Streams that the program lets go of: no one says when they end, but the garbage collector.

Where it says so nothing can be ended: see :mod:`sentrial._spans.aside`.
"""

from __future__ import annotations

import os
import weakref
from functools import partial
from typing import Any

from sentrial._patch.call import ModelCall
from sentrial._spans import aside
from sentrial._spans.llm import STREAM_ABANDONED

_open: dict[ModelCall, _Watch] = {}


class _Watch(weakref.ref):  # type: ignore[type-arg]  # generic in the stubs only, as a base class
    """Tells when its referent is gone; lives as long as the call is open."""

    __slots__ = ("call",)

    call: ModelCall


def watch(holder: Any, call: ModelCall) -> None:
    """End ``call`` as abandoned once ``holder``, the object that keeps a stream alive, is collected.

    ``call`` must not refer to ``holder``: it would keep it alive itself.
    """
    aside.ensure_thread()
    mark = _Watch(holder, _gone)
    mark.call = call
    # In this order: another thread may end the call in between, and so before it is watched.
    call.forget = _forget
    _open[call] = mark
    if call.over:
        _forget(call)


def _forget(call: ModelCall) -> None:
    _open.pop(call, None)


def put_aside(call: ModelCall, stream_end: str = STREAM_ABANDONED) -> None:
    """End ``call``, unless it has ended: soon, but not here."""
    if call.claim():
        aside.put(partial(call.end_claimed, stream_end))


def end_all() -> None:
    """End every stream that is still open, and the thread: the process is about to go, or the patches are."""
    for call in list(_open):
        put_aside(call)
    aside.stop()


def _gone(mark: Any) -> None:
    put_aside(mark.call)


def _after_fork() -> None:
    """The parent's streams are the parent's to end."""
    for call in list(_open):
        call.over = True
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
