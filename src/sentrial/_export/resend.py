"""Sends what is recorded already: through a queue of its own, with all that a queue does about refusals and outages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan

from sentrial._export.destination import Destination
from sentrial._export.item import Item
from sentrial._export.queue import Outlet
from sentrial._export.redact import SecretMasker, redact_span
from sentrial._export.stored_span import build_spans
from sentrial._export.verdict import Stored, Verdict
from sentrial._store.span_row import SpanRow

_FLUSH_INTERVAL = 60.0
"""Seconds; a batch of ours goes when it is whole, and is said to be in a hurry then."""

_ROOM = 2**62
"""The queue holds one batch of ours at a time, however large that is: nothing of it may be dropped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the spans: how many are stored, how many are lost for which reason, and what the server said."""

    stored: int
    lost: dict[str, int]
    words: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost."""
        return not self.lost


class _Listening:
    """A destination whose words are remembered: the queue tells them to the log, and once only."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self.name = destination.name
        self.words: dict[str, None] = {}

    def encode(self, spans: Sequence[ReadableSpan]) -> bytes:
        return self._destination.encode(spans)

    def send(self, body: bytes) -> Verdict:
        verdict = self._destination.send(body)
        if verdict.words and (not isinstance(verdict, Stored) or verdict.rejected):
            self.words[verdict.words] = None
        return verdict

    def close(self) -> None:
        self._destination.close()


def resend(
    batches: Iterable[Sequence[SpanRow]], destination: Destination, masker: SecretMasker | None, patience_s: float
) -> Outcome:
    """Send ``batches`` one after the other, each tried again for ``patience_s`` seconds while ``destination`` is down;
    after one that it did not take for that, the rest is not tried.

    ``masker``: what each text passes first; None where that was done when it was recorded.
    """
    listening = _Listening(destination)
    outlet = Outlet(
        destination.name,
        lambda: listening,
        queue_size=_ROOM,
        flush_interval=_FLUSH_INTERVAL,
        retry_timeout=patience_s,
        adapt=lambda item: item.span if masker is None else redact_span(item.span, masker),
    )
    not_tried = 0
    for batch in batches:
        if outlet.dropped["not reachable"]:
            not_tried += len(batch)
            continue
        for span in build_spans(batch):
            outlet.put(Item(span, None, None, Item.ready))
        # Whatever happens, the queue is done with it some time: each try has a timeout, and the tries have an end.
        mark = outlet.hurry()
        while not outlet.wait(mark, 1.0):
            pass
    outlet.close(1.0)
    lost = Counter({reason: number for reason, number in outlet.dropped.items() if number})
    if not_tried:
        lost["not tried"] = not_tried
    return Outcome(outlet.stored, dict(lost), tuple(listening.words))
