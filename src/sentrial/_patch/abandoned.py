"""Streams that the program lets go of: no one says when they end, but the garbage collector.

It may say so at any place of any thread, inside a lock of a span processor too, so no span is ended there: the call
is put aside, and a thread of ours ends it. (A list's ``append`` and ``SimpleQueue.put`` are safe there by design.)
Whoever needs the spans now, a flush say, calls :func:`settle`.
"""

from __future__ import annotations

import os
import queue
import threading
import weakref
from collections import deque
from typing import Any

from sentrial import _guard
from sentrial._patch.call import ModelCall
from sentrial._spans.llm import STREAM_ABANDONED

PATIENCE = 5.0
"""Seconds that the end of the thread is waited for: it can be in the middle of somebody's span processor."""

_open: dict[ModelCall, _Watch] = {}
_aside: deque[tuple[ModelCall, str]] = deque()
_bell: queue.SimpleQueue[bool] = queue.SimpleQueue()
# Reentrant: a span processor that makes a patched call itself may come back here.
_ending = threading.RLock()
_starting = threading.Lock()
_thread: threading.Thread | None = None


class _Watch(weakref.ref):  # type: ignore[type-arg]  # generic in the stubs only, as a base class
    """Tells when its referent is gone; lives as long as the call is open."""

    __slots__ = ("call",)

    call: ModelCall


def watch(holder: Any, call: ModelCall) -> None:
    """End ``call`` as abandoned once ``holder``, the object that keeps a stream alive, is collected.

    ``call`` must not refer to ``holder``: it would keep it alive itself.
    """
    _ensure_thread()
    mark = _Watch(holder, _gone)
    mark.call = call
    _open[call] = mark
    call.forget = _forget


def _forget(call: ModelCall) -> None:
    _open.pop(call, None)


def put_aside(call: ModelCall, stream_end: str = STREAM_ABANDONED) -> None:
    """End ``call``, unless it has ended: soon, but not here."""
    if not call.claim():
        return
    _aside.append((call, stream_end))
    _bell.put(True)


def settle() -> None:
    """End now what was put aside; when this returns, nothing that was put aside before is still open."""
    with _ending:
        while _aside:
            try:
                call, stream_end = _aside.popleft()
                call.end_claimed(stream_end)
            except Exception as error:  # noqa: BLE001 - one bad span must not keep the others open
                _guard.note("ending an abandoned stream", error)


def end_all() -> None:
    """End every stream that is still open, and the thread: the process is about to go, or the patches are."""
    global _bell, _thread
    for call in list(_open):
        put_aside(call)
    settle()
    with _starting:
        thread, bell, _thread, _bell = _thread, _bell, None, queue.SimpleQueue()
    bell.put(False)
    if thread is not None and thread is not threading.current_thread():
        thread.join(PATIENCE)


def _gone(mark: Any) -> None:
    put_aside(mark.call)


def _ensure_thread() -> None:
    global _thread
    if _thread is not None:
        return
    with _starting:
        if _thread is None:
            thread = threading.Thread(target=_serve, args=(_bell,), name="sentrial-abandoned-streams", daemon=True)
            thread.start()
            _thread = thread


def _serve(bell: queue.SimpleQueue[bool]) -> None:
    while bell.get():
        try:
            settle()
        except Exception as error:  # noqa: BLE001 - the thread has to live on
            _guard.note("ending abandoned streams", error)


def _after_fork() -> None:
    """The parent's streams are the parent's to end, and its thread does not exist here."""
    global _bell, _ending, _starting, _thread
    for call in list(_open):
        call.over = True
    _open.clear()
    _aside.clear()
    _bell = queue.SimpleQueue()
    _ending = threading.RLock()
    _starting = threading.Lock()
    _thread = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
