"""What became of spans, as OpenTelemetry metrics: read when somebody collects them, so that a span costs no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from sentrial import semconv
from sentrial._version import __version__

STORED = "stored"

Counts = dict[str, dict[str, int]]


class DeliveryMetrics:
    """Two counters, of spans stored and spans lost. ``read``: by destination, what :func:`sentrial.stats` says.

    Counts of a pipeline begin anew when it starts again; a counter that others add up must not: it goes on from where
    it was.
    """

    def __init__(self, read: Callable[[], Counts]) -> None:
        self._read = read
        self._earlier: Counter[tuple[str, str]] = Counter()
        self._published = False

    def begin(self) -> None:
        """To be called before the pipeline starts: keeps what it has counted, and makes the instruments once.

        Where no MeterProvider is set, the API's own keep them until there is one.
        """
        self._earlier = self._now()
        if self._published:
            return
        self._published = True
        meter = metrics.get_meter("sentrial", __version__, schema_url=semconv.SCHEMA_URL)
        meter.create_observable_counter(
            semconv.METRIC_SPANS_STORED,
            [self._stored],
            unit="{span}",
            description="Spans that a destination has taken",
        )
        meter.create_observable_counter(
            semconv.METRIC_SPANS_LOST,
            [self._lost],
            unit="{span}",
            description="Spans that a destination has not got and will not get, by reason",
        )

    def forget(self) -> None:
        """In a forked child: what the parent has counted is the parent's."""
        self._earlier = Counter()

    def _now(self) -> Counter[tuple[str, str]]:
        now = Counter(self._earlier)
        for destination, counts in self._read().items():
            for reason, count in counts.items():
                now[destination, reason] += count
        return now

    def _stored(self, _options: CallbackOptions) -> Iterable[Observation]:
        for (destination, reason), count in self._now().items():
            if reason == STORED:
                yield Observation(count, {semconv.SENTRIAL_DESTINATION: destination})

    def _lost(self, _options: CallbackOptions) -> Iterable[Observation]:
        for (destination, reason), count in self._now().items():
            if reason != STORED:
                yield Observation(
                    count, {semconv.SENTRIAL_DESTINATION: destination, semconv.SENTRIAL_LOST_REASON: reason}
                )
