"""The queue before one destination: bounded in bytes, emptied by a thread of ours, honest about what is lost.

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
from sentrial._export.crew import Crew
from sentrial._export.destination import Destination
from sentrial._export.item import Item, counted, ended
from sentrial._export.room import Room
from sentrial._export.size import shrink
from sentrial._export.tally import SHUT_DOWN, Tally
from sentrial._export.verdict import RetryLater, Stored, TooLarge, Verdict

logger = logging.getLogger("sentrial")

BATCH_SPANS = 512
BATCH_BYTES = 3_500_000
"""Below the 4 MB at which gRPC servers refuse a message by default, as near as a weight before encoding can tell."""

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
SHORTEST_PAUSE = 0.1  # also where a server says "Retry-After: 0"

_of_parents: list[Destination] = []
"""What a forked child must not even forget: collected, a connection of its parent would be closed."""


class Mark:
    """A place in the queue that somebody waits for: reached once all before it was dealt with."""

    def __init__(self) -> None:
        self.reached = threading.Event()


class Outlet:
    """One destination with its queue. ``make`` builds the destination, on our thread, when the first span comes.

    ``stored`` and ``dropped`` (by reason) count spans. Sizes in bytes, times in seconds. ``crew``, ``room``: what it
    shares with others; without them it has a thread and a bound of its own.
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
        crew: Crew | None = None,
        room: Room | None = None,
    ) -> None:
        self.name = name
        self.crew = crew or Crew(f"sentrial {name}")
        self._has_own_crew = crew is None
        self._share = (room or Room(queue_size)).share()
        self._make = make
        self._queue_size = queue_size
        self._flush_interval = flush_interval
        self._retry_timeout = retry_timeout
        self._adapt = adapt
        self._begin()

    def reset(self) -> None:
        """Start afresh in a forked child: what the parent has queued, the parent sends and counts."""
        if self._destination is not None:
            _of_parents.append(self._destination)
        self._begin()
        self._share.empty()

    def _begin(self) -> None:
        self._tally = Tally(self.name)
        self._inbox: queue.SimpleQueue[Item | Mark] = queue.SimpleQueue()
        # Taken as long as a thread is asked for, or at work.
        self._turn = threading.Lock()
        self._destination: Destination | None = None
        self._hurry = threading.Event()
        self._closing = threading.Event()
        self._give_up_at = math.inf
        self._down_since: float | None = None

    # --- the user's side ---------------------------------------------------------------------------------------------

    @property
    def stored(self) -> int:
        return self._tally.stored

    @property
    def dropped(self) -> Counter[str]:
        return self._tally.dropped

    def put(self, item: Item) -> None:
        """Queue ``item``; where there is no room, it is dropped and counted."""
        if not self._share.take(item.size, is_root=item.is_root):
            self._tally.drop("queue full", int(item.counts), "the queue is full (raise SENTRIAL_QUEUE_SIZE, in bytes)")
            return
        self._inbox.put(item)
        if not self._closing.is_set():
            self._call()

    def _call(self) -> None:
        if self._turn.acquire(blocking=False):
            self.crew.call(self)

    def hurry(self, give_up_at: float = math.inf) -> Mark:
        """Deliver without waiting for company. The mark is reached once all that is queued now was dealt with.

        ``give_up_at``: when the last try is due, by the monotonic clock.
        """
        mark = Mark()
        self._give_up_at = min(self._give_up_at, give_up_at)
        if self._closing.is_set() or (self._inbox.empty() and not self._turn.locked()):
            mark.reached.set()
            return mark
        self._inbox.put(mark)
        self._hurry.set()
        self._call()
        return mark

    def wait(self, mark: Mark, timeout: float) -> bool:
        """Whether ``mark`` is reached within ``timeout``."""
        if self.crew.no_thread and not mark.reached.is_set():
            # The interpreter is ending and starts no thread any more: whoever waits delivers.
            self._give_up_at = time.monotonic() + timeout
            self._destination = self._drain(self._destination)
            self._disconnect()
        return mark.reached.wait(timeout)

    def flush(self, timeout: float) -> bool:
        """Wait until all that is queued now was dealt with; ``False`` if ``timeout`` ran out first."""
        return self.wait(self.hurry(), timeout)

    def close(self, timeout: float, mark: Mark | None = None) -> None:
        """Deliver what is queued (before ``mark``) within ``timeout``, then stop. What is left is dropped, and said."""
        deadline = time.monotonic() + timeout
        if self.wait(mark or self.hurry(deadline), timeout):
            self._closing.set()
            if self.crew.threads:
                last = Mark()
                self._inbox.put(last)
                self._call()
                last.reached.wait(max(0.0, deadline - time.monotonic()))
            if self._has_own_crew:
                self.crew.close(max(0.0, deadline - time.monotonic()))
            return
        self._closing.set()
        left = self._tally.write_off()
        while not self._inbox.empty():
            try:
                left += counted([self._inbox.get_nowait()])
            except queue.Empty:
                break
        self._hurry.set()
        if self._has_own_crew:
            self.crew.close(0)
        if left:
            self._tally.drop(SHUT_DOWN, left, "could not be sent in the time that there was (SENTRIAL_FLUSH_TIMEOUT)")

    # --- our side ----------------------------------------------------------------------------------------------------

    def work(self, *, alone: bool) -> None:
        """Deal with what is queued, on a thread of the crew. ``alone``: there is time to wait for company."""
        try:
            if alone and not self._closing.is_set():
                self._hurry.wait(self._flush_interval)
            self._destination = self._drain(self._destination)
        finally:
            self._end_turn(disconnect=self._closing.is_set())

    def let_go(self) -> None:
        """Close the connection, unless it is at work again."""
        if self._turn.acquire(blocking=False):
            self._end_turn(disconnect=True)

    def _end_turn(self, *, disconnect: bool) -> None:
        try:
            if disconnect:
                self._disconnect()
        finally:
            self._turn.release()
        # Whoever came in the meantime has found the turn taken, and gone on.
        if not self._inbox.empty():
            self._call()

    @_guard.guarded("closing a destination", _guard.nothing)
    def _disconnect(self) -> None:
        destination, self._destination = self._destination, None
        if destination is not None:
            destination.close()

    @_guard.guarded("emptying a queue", _guard.nothing)
    def _drain(self, destination: Destination | None) -> Destination | None:
        """Deal with all that is queued, in order."""
        self._hurry.clear()
        batch: list[Item] = []
        weight = 0
        entry: Item | Mark | None = None
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
        if not self._tally.take_in_hand(counted(batch)):
            return destination
        try:
            if destination is None:
                destination = self._make()
            self._send(self._made_ready(batch), destination)
        except Exception as error:  # noqa: BLE001 - the thread has to live on: the next batch may pass
            _guard.note(f"delivery to {self.name}", error)
            self._tally.lose("failure of our own", None, "delivery failed")
        finally:
            self._share.give_back(weight)
        return destination

    def _made_ready(self, batch: list[Item]) -> list[ReadableSpan]:
        spans = []
        for item in batch:
            try:
                if item.is_due:
                    spans.append(self._adapt(item))
            except Exception as error:  # noqa: BLE001 - one span that cannot be made ready must not cost the others
                _guard.note("preparing a span", error)
                self._tally.lose("not readable", 1, "could not be made ready")
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
            self._tally.lose("not encodable", 1, f"could not be encoded ({type(error).__name__})")
            return
        verdict = self._send_until_decided(body, destination)
        if isinstance(verdict, Stored):
            self._tally.keep(ended(spans), verdict)
        elif isinstance(verdict, TooLarge):
            self._send_smaller(spans, destination, verdict)
        elif isinstance(verdict, RetryLater):
            self._tally.lose("not reachable", ended(spans), verdict.words)
        else:
            self._tally.lose("refused", ended(spans), verdict.words)

    def _send_until_decided(self, body: bytes, destination: Destination) -> Verdict:
        """Send, and send again within the bound while the destination may yet take it."""
        deadline = time.monotonic() + self._retry_timeout
        backoff = FIRST_BACKOFF
        hurried = False
        while True:
            verdict = destination.send(body)
            if not isinstance(verdict, RetryLater):
                self._say_up()
                break
            pause = max(SHORTEST_PAUSE, backoff * random.uniform(0.8, 1.2) if verdict.after is None else verdict.after)
            if time.monotonic() + pause > min(deadline, self._give_up_at):
                break
            self._say_down(verdict)
            if verdict.after is not None:
                self._closing.wait(pause)
            elif self._hurry.wait(pause):
                # Somebody waits for us: one try at once is worth more than the rest of the pause.
                self._hurry.clear()
                hurried = True
            if self._closing.is_set():
                break
            backoff = min(backoff * 2, LONGEST_BACKOFF)
        if hurried:
            # What is waited for may be queued behind this batch, and must not wait for company in the next turn.
            self._hurry.set()
        return verdict

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
            self._tally.lose("too large", 1, verdict.words)
            return
        last = self._send_until_decided(destination.encode([smaller]), destination)
        if isinstance(last, Stored):
            self._tally.keep(1, last)
        else:
            self._tally.lose("too large", 1, last.words)

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
