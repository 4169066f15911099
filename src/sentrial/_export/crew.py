"""The threads that empty queues: so many at most, however many queues there are, and none where nothing is to be done.

Whoever puts something into a queue calls the crew. That may happen inside a garbage collection, in the middle of
another call of the same thread: nobody waits for a lock here, except who closes the crew.

gevent may take the place of Python's threads at any time. What is a greenlet from then on stops them all where it waits
in a queue, or for a lock, of before. So the threads wait in a queue that is made with the first of them, and no lock is
held where another greenlet may come by.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict, deque
from typing import Protocol

from sentrial import _guard, _late_imports


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
        self._waiting: deque[Work] = deque()
        # Rung after each work that was put there, and once with False for each thread that is to end.
        self._bell: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._resting: set[threading.Thread] = set()
        self._served: OrderedDict[Work, None] = OrderedDict()
        self._serving = threading.Lock()
        self._closed = False
        self.threads: set[threading.Thread] = set()
        self.no_thread = False
        """Whether no thread can be started: the interpreter is ending. Whoever waits has to do the work."""

    def call(self, work: Work) -> None:
        """Give ``work`` a turn."""
        self._waiting.append(work)
        self._bell.put(True)
        self._start_if_needed()

    def prepare(self, count: int) -> None:
        """Have ``count`` threads for what will come, or nearly so many. None can be started while a program ends."""
        if self._is_short_of(count) and self._starting.acquire(blocking=False):
            try:
                # Asked again: another may have added one, or closed the crew.
                thread = self._add_thread() if self._is_short_of(count) else None
            finally:
                self._starting.release()
            if thread is not None:
                self._start(thread)
            self._start_if_needed()

    def close(self, timeout: float) -> None:
        """End the threads, once they have no more to do, and start no other.

        Each is waited for, ``timeout`` seconds at most in all.
        """
        with self._starting:
            self._closed = True
            threads = tuple(self.threads)
        for _ in threads:
            self._bell.put(False)
        for thread in threads:
            # One that somebody is about to start finds its end waiting.
            if thread.is_alive():
                thread.join(timeout / len(threads))

    def _start_if_needed(self) -> None:
        # Again after each release: who came in the meantime has seen the lock taken, and gone on.
        while self._is_needed() and self._starting.acquire(blocking=False):
            try:
                thread = self._add_thread() if self._is_needed() else None
            finally:
                self._starting.release()
            if thread is not None and not self._start(thread):
                return

    def _is_needed(self) -> bool:
        return len(self._waiting) > len(self._resting) and self._has_place()

    def _is_short_of(self, count: int) -> bool:
        return len(self.threads) < count and self._has_place()

    def _has_place(self) -> bool:
        # Threads of before gevent go on as threads; a greenlet cannot wait where they do.
        fits = not self.threads or type(self._bell) is queue.SimpleQueue
        return fits and len(self.threads) < self._most and not self._closed

    def _add_thread(self) -> threading.Thread:
        if not self.threads:
            # Who still rings the one before has put his work already: it is counted here.
            self._bell = queue.SimpleQueue()
            for _ in range(len(self._waiting)):
                self._bell.put(True)
        thread = threading.Thread(target=self._run, args=(self._bell,), name=self._name, daemon=True)
        self.threads.add(thread)
        self._resting.add(thread)
        return thread

    def _start(self, thread: threading.Thread) -> bool:
        try:
            thread.start()
        except RuntimeError:
            self.threads.discard(thread)
            self._resting.discard(thread)
            self.no_thread = not self.threads
            return False
        self.no_thread = False
        return True

    def _run(self, bell: queue.SimpleQueue[bool]) -> None:
        me = threading.current_thread()
        _late_imports.threads.add(me)
        try:
            while True:
                self._resting.add(me)
                try:
                    if not bell.get(timeout=self._patience):
                        return
                    work = self._waiting.popleft()
                except queue.Empty:
                    if self._leaves(me):
                        return
                    continue
                except IndexError:
                    continue  # rung twice for one work
                finally:
                    self._resting.discard(me)
                try:
                    self._start_if_needed()
                    work.work(alone=not self._waiting)
                    self._keep(work)
                except Exception as error:  # noqa: BLE001 - the thread has to live on: others wait for it too
                    _guard.note(f"working on {self._name}", error)
        finally:
            self.threads.discard(me)
            _late_imports.threads.discard(me)

    def _leaves(self, me: threading.Thread) -> bool:
        if not self._starting.acquire(blocking=False):
            return False
        try:
            if self._waiting:
                return False
            self.threads.discard(me)
            self._resting.discard(me)
        finally:
            self._starting.release()
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
