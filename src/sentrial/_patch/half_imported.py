"""Modules that somebody is in the middle of importing: a look comes too early for them, and a hook too late.

The program may be set up on one thread while another one imports a client. Waiting there could last, or be for ever
where the import itself waits for the set-up: a thread of ours looks on instead. It looks now and then, and takes no
lock of the import's: what waits for such a lock finds itself importing the module where its import has failed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

_PAUSE = 0.001
"""Seconds between two looks: what the program does first with what it has imported should be recorded."""

_Waiting = list[tuple[str, Callable[[], object]]]

_lock = threading.RLock()
_waiting: _Waiting = []


def is_half_imported(name: str) -> bool:
    """Whether the import of ``name`` is under way, on whatever thread."""
    # A private name, and the same from Python 3.10 on: how importlib itself finds out, and nothing public tells.
    return getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False) is True


def after_import(name: str, then: Callable[[], object]) -> None:
    """Call ``then`` on a thread of ours once the import of ``name`` that is under way has ended, or has failed.

    It must not raise. Where no thread can be had, it is not called.
    """
    with _lock:
        _waiting.append((name, then))
        if len(_waiting) > 1:
            return  # one thread serves all
        try:
            threading.Thread(target=_serve, args=(_waiting,), name="sentrial patching", daemon=True).start()
        except RuntimeError:
            _waiting.clear()


def forget() -> None:
    """Call nothing any more; the thread ends."""
    global _waiting
    with _lock:
        _waiting.clear()
        # Its own list says to a thread that it has nothing left: another one is for the next to come.
        _waiting = []


def _serve(waiting: _Waiting) -> None:
    while True:
        with _lock:
            over = [each for each in waiting if not is_half_imported(each[0])]
        for _name, then in over:
            then()
        with _lock:
            waiting[:] = [each for each in waiting if each not in over]
            if not waiting:
                return
        time.sleep(_PAUSE)


def _after_fork() -> None:
    """The thread does not exist here, and neither does the one that was importing."""
    global _lock, _waiting
    _lock = threading.RLock()
    _waiting = []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
