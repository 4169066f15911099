"""What is over and cannot be ended where that shows: inside a garbage collection.

A collection strikes at any place of any thread, inside a lock of a span processor too, or while OpenTelemetry's context
is being set, so no span is ended there: its end is put aside, and a thread of ours makes it. (A list's ``append`` and
``SimpleQueue.put`` are safe there by design.) Whoever needs the spans now, a flush say, calls :func:`settle`.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable

from sentrial import _guard

PATIENCE = 5.0
"""Seconds that a thread is waited for: it can be in the middle of somebody's span processor."""

_waiting: deque[Callable[[], object]] = deque()
# Rung after something was put aside. Each thread has its own, made with it: gevent may have taken the place of Python's
# threads meanwhile, and what is a greenlet by now stops them all where it waits at a bell of before.
_bell: queue.SimpleQueue[bool] = queue.SimpleQueue()
# Reentrant: a span processor that makes a patched call itself may come back here.
_ending = threading.RLock()
_is_ending = False
# Reentrant: a lock of before gevent knows its greenlets as one thread, and start() lets others of them come by.
_starting = threading.RLock()
_thread: threading.Thread | None = None


def put(end: Callable[[], object]) -> None:
    """Have ``end`` called soon, but not here."""
    _waiting.append(end)
    _bell.put(True)


def settle(timeout: float = PATIENCE) -> bool:
    """Call now what was put aside; whether nothing that was put aside before is still to be called.

    Not so inside of such a call: the rest comes after it. ``timeout``: seconds to wait for a thread that is at it. It
    may be in the middle of somebody's span processor, and that may wait for a lock of the caller's, or for ever.
    """
    global _is_ending
    if not _ending.acquire(timeout=min(max(timeout, 0.0), threading.TIMEOUT_MAX)):
        return False
    try:
        if _is_ending:
            return False
        _is_ending = True
        try:
            while _waiting:
                _call(_waiting.popleft())
        finally:
            _is_ending = False
        return True
    finally:
        _ending.release()


def _call(end: Callable[[], object]) -> None:
    try:
        end()
    except Exception as error:  # noqa: BLE001 - one bad span must not keep the others open
        _guard.note("ending what was let go of", error)


@_guard.guarded("starting a thread", _guard.nothing)
def ensure_thread() -> None:
    """Start the thread, where it does not run: where something begins, as nothing is started inside a collection."""
    if _thread is not None:
        return
    with _starting:
        if _thread is None:
            _start()


def _start() -> None:
    global _bell, _thread
    _bell = queue.SimpleQueue()
    if _waiting:
        _bell.put(True)
    _thread = threading.Thread(target=_serve, args=(_bell,), name="sentrial-aside", daemon=True)
    try:
        _thread.start()
    except RuntimeError:
        _thread = None  # no more threads can be had: what is put aside waits for whoever calls settle()


def stop() -> None:
    """Settle, and end the thread. What is put aside later waits for the next one.

    No longer than :data:`PATIENCE`: a thread that is kept longer ends when it is let go.
    """
    global _bell, _thread
    deadline = time.monotonic() + PATIENCE
    settle(PATIENCE)
    with _starting:
        thread, bell, _thread, _bell = _thread, _bell, None, queue.SimpleQueue()
    bell.put(False)
    if thread is not None and thread.is_alive() and thread is not threading.current_thread():
        thread.join(max(0.0, deadline - time.monotonic()))


def _serve(bell: queue.SimpleQueue[bool]) -> None:
    while bell.get():
        try:
            settle()
        except Exception as error:  # noqa: BLE001 - the thread has to live on
            _guard.note("ending what was let go of", error)


def _after_fork() -> None:
    """What the parent has put aside is the parent's to end, and its thread does not exist here."""
    global _bell, _ending, _is_ending, _starting, _thread
    _waiting.clear()
    _bell = queue.SimpleQueue()
    _ending = threading.RLock()
    _is_ending = False
    _starting = threading.RLock()
    _thread = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
