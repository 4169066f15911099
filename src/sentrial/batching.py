"""How events were batched in Sentrial's older SDK. Here every span is batched, on a thread of ours."""

from __future__ import annotations

from dataclasses import dataclass

from sentrial import _guard


@dataclass
class BatcherConfig:
    """What ``batching=`` takes, so that programs written for the older SDK run as they are.

    Attributes:
        enabled: says nothing here: nothing is sent on the caller's thread.
        flush_interval: seconds that a span waits for company; ``SENTRIAL_FLUSH_INTERVAL`` is the same.
        flush_threshold: says nothing here.
        max_queue_size: says nothing here: the queue is bounded in bytes, by ``SENTRIAL_QUEUE_SIZE``.
    """

    enabled: bool = False
    flush_interval: float = 1.0
    flush_threshold: int = 10
    max_queue_size: int = 1000


def flush_interval_of(batching: object) -> float | None:
    """The one setting of ``batching`` that means something here, where it was given."""
    if _guard.is_a(batching, BatcherConfig) and batching.enabled:
        return batching.flush_interval
    return None
