"""The queue before one destination: bounded in bytes, emptied by one thread of ours, honest about what is lost.

The user's thread only puts: no lock that the garbage collector could meet again (a stream's span can end inside a
collection), no waiting, no encoding. Each destination has its own queue, so that one being down holds up no other.
"""

from __future__ import annotations

import logging
import math
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
from sentrial._export.verdict import RetryLater, Stored, TooLarge, Verdict

logger = logging.getLogger("sentrial")

BATCH_SPANS = 512
BATCH_BYTES = 3_500_000
"""Below the 4 MB at which gRPC servers refuse a message by default, as near as a weight before encoding can tell."""

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
SHORTEST_PAUSE = 0.1
"""Also where a server says ``Retry-After: 0``."""

ROOM_FOR_ROOTS = 1.25
"""A session's root may overfill the queue by this much: without it, the session's other spans are worth little."""

SHUT_DOWN = "shut down"


class Mark:
    """A place in the queue that somebody waits for: reached once all before it was dealt with."""

    def __init__(self) -> None:
        self.reached = threading.Event()


class Outlet:
    """One destination with its queue. ``make`` builds the destination, on our thread, when the first span comes.

    ``stored`` and ``dropped`` (by reason) count spans. Sizes in bytes, times in seconds.
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
        self._make = make
        self._queue_size = queue_size
        self._flush_interval = flush_interval
        self._retry_timeout = retry_timeout
        self._adapt = adapt
        self.reset()

    def reset(self) -> None:
        """Start afresh in a forked child: what the parent has queued, the parent sends and counts."""
        self.stored = 0
        self.dropped: Counter[str] = Counter()
        self._inbox: queue.SimpleQueue[Item | Mark] = queue.SimpleQueue()
        self._waiting = 0
        self._in_hand = 0
        self._counting = threading.RLock()
        self._starting = threading.Lock()
        self.thread: threading.Thread | None = None
        self._no_thread = False
        self._hurry = threading.Event()
        self._closing = threading.Event()
        self._written_off = False
        self._give_up_at = math.inf
        self._down_since: float | None = None

    # --- the user's side ---------------------------------------------------------------------------------------------

    def put(self, item: Item) -> None:
        """Queue ``item``; where there is no room, it is dropped and counted."""
        with self._counting:
            waiting = self._waiting + item.size
            fits = waiting <= self._queue_size or (item.is_root and waiting <= self._queue_size * ROOM_FOR_ROOTS)
            if fits:
                self._waiting = waiting
        if not fits:
            self._drop("queue full", 1, "the queue is full (raise SENTRIAL_QUEUE_SIZE, in bytes)")
            return
        self._inbox.put(item)
        if self.thread is None:
            self.wake()

    def wake(self) -> None:
        """Have our thread run."""
        if not self._starting.acquire(blocking=False):
            return  # someone is at it; waiting could meet ourselves, inside a garbage collection
        try:
            if self.thread is None and not self._closing.is_set():
                thread = threading.Thread(target=self._run, name=f"sentrial {self.name}", daemon=True)
                thread.start()
                self.thread = thread
        except RuntimeError:
            # The interpreter is ending and starts no thread any more: whoever waits delivers.
            self._no_thread = True
        finally:
            self._starting.release()

    def hurry(self, give_up_at: float = math.inf) -> Mark:
        """Deliver without waiting for company. The mark is reached once all that is queued now was dealt with.

        ``give_up_at``: when the last try is due, by the monotonic clock.
        """
        mark = Mark()
        self._give_up_at = min(self._give_up_at, give_up_at)
        if self._closing.is_set() or (self.thread is None and self._inbox.empty()):
            mark.reached.set()
            return mark
        self._inbox.put(mark)
        self._hurry.set()
        self.wake()
        return mark

    def wait(self, mark: Mark, timeout: float) -> bool:
        """Whether ``mark`` is reached within ``timeout``."""
        if self._no_thread and not mark.reached.is_set():
            self._give_up_at = time.monotonic() + timeout
            destination = self._drain(None)
            if destination is not None:
                destination.close()
        return mark.reached.wait(timeout)

    def flush(self, timeout: float) -> bool:
        """Wait until all that is queued now was dealt with; ``False`` if ``timeout`` ran out first."""
        return self.wait(self.hurry(), timeout)

    def close(self, timeout: float, mark: Mark | None = None) -> None:
        """Deliver what is queued (before ``mark``) within ``timeout``, then stop. What is left is dropped, and said."""
        deadline = time.monotonic() + timeout
        if self.wait(mark or self.hurry(deadline), timeout):
            self._closing.set()
            self._inbox.put(Mark())
            if self.thread is not None:
                self.thread.join(max(0.0, deadline - time.monotonic()))
            return
        self._closing.set()
        with self._counting:
            self._written_off = True
            left = self._in_hand
        while not self._inbox.empty():
            try:
                left += isinstance(self._inbox.get_nowait(), Item)
            except queue.Empty:
                break
        self._inbox.put(Mark())
        self._hurry.set()
        if left:
            self._drop(SHUT_DOWN, left, "they could not be sent in the time that the end of the program may take")

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

    def _drain(self, first: Item | Mark | None, destination: Destination | None = None) -> Destination | None:
        """Deal with all that is queued, in order."""
        self._hurry.clear()
        batch: list[Item] = []
        weight = 0
        entry = first
        while True:
            size = entry.size if isinstance(entry, Item) else 0
            full = len(batch) >= BATCH_SPANS or weight + size > BATCH_BYTES
            if batch and (full or isinstance(entry, Mark)):
                destination = self._deliver(batch, weight, destination)
                batch, weight = [], 0
            if isinstance(entry, Item):
                batch.append(entry)
                weight += size
            elif entry is not None:
                entry.reached.set()
            try:
                entry = self._inbox.get_nowait()
            except queue.Empty:
                break
        if batch:
            destination = self._deliver(batch, weight, destination)
        return destination

    def _deliver(self, batch: list[Item], weight: int, destination: Destination | None) -> Destination | None:
        with self._counting:
            if self._written_off:
                self.dropped[SHUT_DOWN] += len(batch)
                return destination
            self._in_hand = len(batch)
        try:
            if destination is None:
                destination = self._make()
            self._send(self._made_ready(batch), destination)
        except Exception as error:  # noqa: BLE001 - the thread has to live on: the next batch may pass
            _guard.note(f"delivery to {self.name}", error)
            self._lose("failure of our own", self._in_hand, "delivery failed")
        finally:
            with self._counting:
                self._waiting -= weight
        return destination

    def _made_ready(self, batch: list[Item]) -> list[ReadableSpan]:
        spans = []
        for item in batch:
            try:
                spans.append(self._adapt(item))
            except Exception as error:  # noqa: BLE001 - one span that cannot be made ready must not cost the others
                _guard.note("preparing a span", error)
                self._lose("not readable", 1, "they could not be made ready")
        return spans

    def _send(self, spans: Sequence[ReadableSpan], destination: Destination) -> None:
        if not spans:
            return
        try:
            body = destination.encode(spans)
        except Exception as error:  # noqa: BLE001 - one span that cannot be encoded must not cost the others
            if len(spans) > 1:
                self._send_halves(spans, destination)
                return
            _guard.note(f"encoding a span for {self.name}", error)
            self._lose("not encodable", 1, f"they could not be encoded ({type(error).__name__})")
            return
        verdict = self._send_until_decided(body, destination)
        if isinstance(verdict, Stored):
            self._keep(len(spans), verdict)
        elif isinstance(verdict, TooLarge):
            self._send_smaller(spans, destination, verdict)
        elif isinstance(verdict, RetryLater):
            self._lose("not reachable", len(spans), verdict.words)
        else:
            self._lose("refused", len(spans), verdict.words)

    def _send_until_decided(self, body: bytes, destination: Destination) -> Verdict:
        """Send, and send again within the bound while the destination may yet take it."""
        deadline = time.monotonic() + self._retry_timeout
        backoff = FIRST_BACKOFF
        while True:
            verdict = destination.send(body)
            if not isinstance(verdict, RetryLater):
                self._say_up()
                return verdict
            pause = max(SHORTEST_PAUSE, backoff * random.uniform(0.8, 1.2) if verdict.after is None else verdict.after)
            if time.monotonic() + pause > min(deadline, self._give_up_at):
                return verdict
            self._say_down(verdict)
            if verdict.after is not None:
                self._closing.wait(pause)
            elif self._hurry.wait(pause):
                # Somebody waits for us: one try at once is worth more than the rest of the pause.
                self._hurry.clear()
            if self._closing.is_set():
                return verdict
            backoff = min(backoff * 2, LONGEST_BACKOFF)

    def _send_halves(self, spans: Sequence[ReadableSpan], destination: Destination) -> None:
        middle = len(spans) // 2
        self._send(spans[:middle], destination)
        self._send(spans[middle:], destination)

    def _send_smaller(self, spans: Sequence[ReadableSpan], destination: Destination, verdict: TooLarge) -> None:
        if len(spans) > 1:
            self._send_halves(spans, destination)
            return
        smaller = shrink(spans[0])
        if smaller is None:
            self._lose("too large", 1, verdict.words)
            return
        last = self._send_until_decided(destination.encode([smaller]), destination)
        if isinstance(last, Stored):
            self._keep(1, last)
        else:
            self._lose("too large", 1, last.words)

    # --- what became of them -----------------------------------------------------------------------------------------

    def _keep(self, count: int, verdict: Stored) -> None:
        rejected = min(verdict.rejected, count)
        with self._counting:
            self.stored += count - rejected
            self._in_hand -= count - rejected
            if self._written_off:
                # Counted as lost when we were closed, and stored after all.
                self.dropped[SHUT_DOWN] -= count - rejected
        if rejected:
            self._lose("rejected by the server", rejected, verdict.words)
        elif verdict.words:
            _guard.say_once(f"{self.name} warns", "sentrial: %s answers: %s", self.name, verdict.words)

    def _lose(self, reason: str, count: int, words: str) -> None:
        with self._counting:
            self._in_hand -= count
            if self._written_off:
                return
        self._drop(reason, count, words)

    def _drop(self, reason: str, count: int, words: str) -> None:
        with self._counting:
            self.dropped[reason] += count
        _guard.say_once(
            f"{self.name} drops {reason}",
            "sentrial: %d spans for %s are lost: %s. More of this kind is counted, not logged.",
            count,
            self.name,
            words,
        )

    def _say_down(self, verdict: RetryLater) -> None:
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
