"""The end of this process, or of a worker of its kind: ``atexit`` does not see them all."""

from __future__ import annotations

import atexit
import sys
import weakref
from collections.abc import Callable

from sentrial import _guard

_at_end: Callable[[], None] | None = None
_told: set[str] = set()


def call_at_end(function: Callable[[], None]) -> None:
    """Call ``function`` when the process ends: once, and before whatever was registered until now.

    A provider's own handler would find the sessions still open.
    """
    global _at_end
    _at_end = function
    # And before the handler of all finalizers, which closes pools of connections and is registered by the first one.
    weakref.finalize(call_at_end, _guard.nothing).detach()
    atexit.unregister(_end)
    atexit.register(_end)
    _end_with_worker()


def before_fork() -> None:
    """Tell those whose workers end without the handlers of ``atexit``."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None and "multiprocessing" not in _told:
        _told.add("multiprocessing")
        # A worker drops the finalizers of its parent, and then calls whom the parent has registered here.
        util.register_after_fork(call_at_end, lambda _: _end_with_worker())
    signals = sys.modules.get("celery.signals")
    if signals is not None and "celery" not in _told:
        _told.add("celery")
        signals.worker_process_shutdown.connect(_end, weak=False)


def _end(*_: object, **__: object) -> None:
    if _at_end is not None:
        _at_end()


def _end_with_worker() -> None:
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _end, exitpriority=100)
