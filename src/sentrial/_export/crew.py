"""The threads that empty queues: so many at most, however many queues there are, and none where nothing is to be done.

Whoever puts something into a queue calls the crew. That may happen inside a garbage collection, in the middle of
another call of the same thread: nobody waits for a lock here, except the threads of the crew themselves.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from typing import Protocol

from sentrial import _guard


class Work(Protocol):
    """A queue: a thread of the crew empties it when it is its turn. It asks for one turn at a time."""

    def work(self, *, alone: bool) -> None:
        """Empty the queue. ``alone``: nobody waits for this thread, so that it may wait for company."""

    def let_go(self) -> None:
        """Give up what is kept from turn to turn, such as a connection."""


class Crew:
    """At most ``most`` threads called ``name``. One that has nothing to do for ``patience`` seconds ends.

    ``patience=None``: it stays until :meth:`close`.
    """

    def __init__(self, name: str, *, most: int = 1, patience: float | None = None) -> None:
        self._name = name
        self._most = most
        self._patience = patience
        self.reset()

    def reset(self) -> None:
        """Start afresh in a forked child, where no thread of the parent runs."""
        self._ready: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._resting: set[threading.Thread] = set()
        self._served: OrderedDict[Work, None] = OrderedDict()
        self._serving = threading.Lock()
        self.threads: set[threading.Thread] = set()
        self.no_thread = False
        """Whether no thread can be started: the interpreter is ending. Whoever waits has to do the work."""

    def call(self, work: Work) -> None:
        """Give ``work`` a turn."""
        self._ready.put(work)
        self._start_if_needed()

    def prepare(self, count: int) -> None:
        """Have ``count`` threads for what will come, or nearly so many. None can be started while a program ends."""
        if len(self.threads) < min(count, self._most) and self._starting.acquire(blocking=False):
            try:
                self._start()
            finally:
                self._starting.release()

    def close(self, timeout: float) -> None:
        """End the threads, once they have no more to do; each is waited for, ``timeout`` seconds at most in all."""
        with self._starting:
            threads = tuple(self.threads)
        for _ in threads:
            self._ready.put(None)
        for thread in threads:
            thread.join(timeout / len(threads))

    def _start_if_needed(self) -> None:
        # Again after each release: who came in the meantime has seen the lock taken, and gone on.
        while self._is_needed() and self._starting.acquire(blocking=False):
            try:
                if self._is_needed() and not self._start():
                    return
            finally:
                self._starting.release()

    def _is_needed(self) -> bool:
        return len(self.threads) < self._most and self._ready.qsize() > len(self._resting)

    def _start(self) -> bool:
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self.threads.add(thread)
        try:
            thread.start()
        except RuntimeError:
            self.threads.discard(thread)
            self.no_thread = not self.threads
            return False
        self.no_thread = False
        return True

    def _run(self) -> None:
        me = threading.current_thread()
        try:
            while True:
                self._resting.add(me)
                try:
                    work = self._ready.get(timeout=self._patience)
                except queue.Empty:
                    if self._leaves(me):
                        return
                    continue
                finally:
                    self._resting.discard(me)
                if work is None:
                    return
                try:
                    self._start_if_needed()
                    work.work(alone=self._ready.empty())
                    self._keep(work)
                except Exception as error:  # noqa: BLE001 - the thread has to live on: others wait for it too
                    _guard.note(f"working on {self._name}", error)
        finally:
            self.threads.discard(me)

    def _leaves(self, me: threading.Thread) -> bool:
        with self._starting:
            if not self._ready.empty():
                return False
            self.threads.discard(me)
        # Whoever came just before the lock was free again has left it to us.
        self._start_if_needed()
        return True

    def _keep(self, work: Work) -> None:
        """Of those that were served lately, so many keep their connections as there are threads."""
        with self._serving:
            self._served[work] = None
            self._served.move_to_end(work)
            oldest = self._served.popitem(last=False)[0] if len(self._served) > self._most else None
        if oldest is not None:
            oldest.let_go()
