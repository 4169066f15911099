"""Requests whose span has ended, and in which something may still happen: a thread of ours sees when they are over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sentrial import _config, _guard
from sentrial._export.scope import Scope

LOOKS_EVERY = 0.1
PATIENCE = 5.0


class Lingering:
    """Calls ``close`` for each request once it is over."""

    def __init__(self, close: Callable[[Scope], None]) -> None:
        self._close = close
        self.after_fork()

    def after_fork(self) -> None:
        """In a forked child: what the parent waits for, and its thread, are not here."""
        self._scopes: dict[Scope, None] = {}
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._ended = False

    def add(self, scope: Scope) -> None:
        """Wait for the end of ``scope``; a second time does nothing."""
        with self._changed:
            if self._ended:
                return
            self._scopes[scope] = None
            self._changed.notify()
            if self._thread is not None:
                return
            thread = self._thread = threading.Thread(target=self._serve, name="sentrial requests", daemon=True)
        # Without the lock: under gevent, start() lets the new one run, which would give away a lock that is held here.
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is ending: whoever ends what is open ends these too.
            self._thread = None

    def stop(self) -> None:
        """End the thread; what still waits is left to whoever ends what is open."""
        with self._changed:
            self._ended = True
            thread, self._thread = self._thread, None
            self._changed.notify()
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join(PATIENCE)

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._scopes) or self._ended)
                self._changed.wait_for(lambda: self._ended, LOOKS_EVERY)
                if self._ended:
                    return
                scopes = list(self._scopes)
            now, longest = time.monotonic(), _config.active.session_timeout
            done = [scope for scope in scopes if scope.over or scope.is_done(now, longest)]
            for scope in done:
                try:
                    self._close(scope)
                except Exception as error:  # noqa: BLE001 - one bad span processor must not keep the others open
                    _guard.note("ending the session of a request", error)
            with self._changed:
                for scope in done:
                    self._scopes.pop(scope, None)
