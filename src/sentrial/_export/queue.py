"""The queue before one destination: bounded in bytes, emptied by one thread of ours, honest about what is lost.

The user's thread only puts: no lock that the garbage collector could meet again (a stream's span can end inside a
collection), no waiting, no encoding. Each destination has its own queue, so that one being down holds up no other.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from opentelemetry.sdk.trace import ReadableSpan

from sentrial import _guard
from sentrial._export.destination import Destination
from sentrial._export.item import Item
from sentrial._export.size import shrink
from sentrial._export.verdict import Refused, RetryLater, Stored, TooLarge, Verdict

logger = logging.getLogger("sentrial")

BATCH_SPANS = 512
BATCH_BYTES = 3_500_000
"""Below the 4 MB at which gRPC servers refuse a message by default, as near as a weight before encoding can tell."""

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0

ROOM_FOR_ROOTS = 1.25
"""A session's root may overfill the queue by this much: without it, the session's other spans are worth little."""


class _Mark:
    """A place in the queue that somebody waits for: reached once all before it was dealt with."""

    def __init__(self) -> None:
        self.reached = threading.Event()


class Outlet:
    """One destination with its queue. ``make`` builds the destination, on our thread, when the first span comes.

    Sizes in bytes, times in seconds.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Destination],
        *,
        queue_size: int,
        flush_interval: float,
        retry_timeout: float,
        adapt: Callable[[Item], ReadableSpan] = Item.ready,
    ) -> None:
        self.name = name
        self.stored = 0
        self.dropped: Counter[str] = Counter()
        self._make = make
        self._queue_size = queue_size
        self._flush_interval = flush_interval
        self._retry_timeout = retry_timeout
        self._adapt = adapt
        self.reset()

    def reset(self) -> None:
        """Start afresh in a forked child: what the parent has queued, the parent sends."""
        self._inbox: queue.SimpleQueue[Item | _Mark] = queue.SimpleQueue()
        self._waiting = 0
        self._weighing = threading.RLock()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()
        self._closing = threading.Event()
        self._down_since: float | None = None

    # --- the user's side ---------------------------------------------------------------------------------------------

    def put(self, item: Item) -> None:
        """Queue ``item``; where there is no room, it is dropped and counted."""
        room = self._queue_size * (ROOM_FOR_ROOTS if item.is_root else 1.0)
        if self._waiting + item.size > room:
            self._drop("queue full", 1, "the queue is full (raise SENTRIAL_QUEUE_SIZE, in bytes)")
            return
        with self._weighing:
            self._waiting += item.size
        self._inbox.put(item)
        if self._thread is None:
            self._start()

    def flush(self, timeout: float) -> bool:
        """Wait until all that is queued now was dealt with; ``False`` if ``timeout`` ran out first."""
        if self._thread is None and self._inbox.empty():
            return True
        mark = _Mark()
        self._inbox.put(mark)
        self._hurry.set()
        self._start()
        return mark.reached.wait(timeout)

    def close(self, timeout: float) -> None:
        """Deliver what is queued within ``timeout``, then stop. What is left is counted as dropped, and said."""
        deadline = time.monotonic() + timeout
        thread = self._thread
        if thread is None and self._inbox.empty():
            return
        delivered = self.flush(timeout)
        self._closing.set()
        self._inbox.put(_Mark())
        if not delivered:
            self._hurry.set()
            self._thread = None
            left = 0
            while not self._inbox.empty():
                try:
                    left += isinstance(self._inbox.get_nowait(), Item)
                except queue.Empty:
                    break
            if left:
                self._drop("shut down", left, "the program ended before they could be sent")
        elif thread is not None:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start(self) -> None:
        if not self._starting.acquire(blocking=False):
            return  # someone is at it; waiting could meet ourselves, inside a garbage collection
        try:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=f"sentrial {self.name}", daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError:
            # The interpreter is ending and starts no thread any more: whoever ends it delivers.
            self._drain(None)
        finally:
            self._starting.release()

    # --- our side ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        destination: Destination | None = None
        while not self._closing.is_set():
            first = self._inbox.get()
            if isinstance(first, Item):
                self._hurry.wait(self._flush_interval)
            destination = self._drain(first, destination)
        if destination is not None:
            destination.close()

    def _drain(self, first: Item | _Mark | None, destination: Destination | None = None) -> Destination | None:
        """Deal with all that is queued, in order."""
        self._hurry.clear()
        batch: list[Item] = []
        weight = 0
        entry = first
        while True:
            if isinstance(entry, Item):
                batch.append(entry)
                weight += entry.size
            full = len(batch) >= BATCH_SPANS or weight >= BATCH_BYTES
            if batch and (full or isinstance(entry, _Mark)):
                destination = self._deliver(batch, weight, destination)
                batch, weight = [], 0
            if isinstance(entry, _Mark):
                entry.reached.set()
            try:
                entry = self._inbox.get_nowait()
            except queue.Empty:
                break
        if batch:
            destination = self._deliver(batch, weight, destination)
        return destination

    def _deliver(self, batch: list[Item], weight: int, destination: Destination | None) -> Destination | None:
        try:
            if destination is None:
                destination = self._make()
            spans = []
            for item in batch:
                try:
                    spans.append(self._adapt(item))
                except Exception as error:  # noqa: BLE001 - one span that cannot be made ready must not cost the others
                    _guard.note("preparing a span", error)
                    self._drop("not readable", 1, "they could not be made ready")
            self._send(spans, destination)
        except Exception as error:  # noqa: BLE001 - the thread has to live on: the next batch may pass
            _guard.note(f"delivery to {self.name}", error)
            self._drop("failure of our own", len(batch), "delivery failed")
        finally:
            with self._weighing:
                self._waiting = 0 if self._inbox.empty() else max(0, self._waiting - weight)
        return destination

    def _send(self, spans: Sequence[ReadableSpan], destination: Destination) -> None:
        if not spans:
            return
        verdict = self._send_until_decided(destination.encode(spans), destination)
        if isinstance(verdict, Stored):
            self._count_stored(len(spans), verdict)
        elif isinstance(verdict, TooLarge):
            self._send_smaller(spans, destination, verdict)
        elif isinstance(verdict, RetryLater):
            self._drop("not reachable", len(spans), verdict.words)
        else:
            self._drop("refused", len(spans), verdict.words)

    def _send_until_decided(self, body: bytes, destination: Destination) -> Verdict:
        """Send, and send again within the bound while the destination may yet take it."""
        deadline = time.monotonic() + self._retry_timeout
        backoff = FIRST_BACKOFF
        while True:
            verdict = destination.send(body)
            if not isinstance(verdict, RetryLater):
                self._say_up()
                return verdict
            pause = verdict.after if verdict.after is not None else backoff * random.uniform(0.8, 1.2)
            if time.monotonic() + pause > deadline:
                return verdict
            self._say_down(verdict)
            if self._closing.wait(pause):
                return verdict
            backoff = min(backoff * 2, LONGEST_BACKOFF)

    def _send_smaller(self, spans: Sequence[ReadableSpan], destination: Destination, verdict: TooLarge) -> None:
        if len(spans) > 1:
            middle = len(spans) // 2
            self._send(spans[:middle], destination)
            self._send(spans[middle:], destination)
            return
        smaller = shrink(spans[0])
        if smaller is None:
            self._drop("too large", 1, verdict.words)
            return
        last = self._send_until_decided(destination.encode([smaller]), destination)
        if isinstance(last, Stored):
            self._count_stored(1, last)
        else:
            self._drop("too large", 1, last.words)

    def _count_stored(self, count: int, verdict: Stored) -> None:
        self.stored += count - verdict.rejected
        if verdict.rejected:
            self._drop("rejected by the server", verdict.rejected, verdict.words)
        elif verdict.words:
            _guard.say_once(f"{self.name} warns", "sentrial: %s answers: %s", self.name, verdict.words)

    # --- what is said ------------------------------------------------------------------------------------------------

    def _drop(self, reason: str, count: int, words: str) -> None:
        self.dropped[reason] += count
        _guard.say_once(
            f"{self.name} drops {reason}",
            "sentrial: %d spans for %s are lost: %s. More of this kind is counted, not logged.",
            count,
            self.name,
            words,
        )

    def _say_down(self, verdict: Refused | RetryLater) -> None:
        if self._down_since is None:
            self._down_since = time.monotonic()
            logger.warning(
                "sentrial: %s does not take spans now (%s). They wait, up to %d MB; your program goes on.",
                self.name,
                verdict.words,
                self._queue_size // 1_000_000,
            )

    def _say_up(self) -> None:
        if self._down_since is not None:
            logger.info("sentrial: %s answers again, after %.0f s.", self.name, time.monotonic() - self._down_since)
            self._down_since = None
