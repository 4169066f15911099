"""What a destination said of a batch: the one language between senders and the queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stored:
    """The destination has the batch.

    ``rejected`` spans of it were refused all the same (OTLP ``partial_success``), for the reason in ``words``.
    ``words`` without ``rejected`` is a warning of the server's.
    """

    rejected: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Not stored, but worth another try: after ``after`` seconds, where the destination named a time."""

    words: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not stored, and the same batch never will be. ``words`` are the server's, with the status in front."""

    words: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """Not stored for its size: smaller batches may pass."""

    words: str


Verdict = Stored | RetryLater | Refused | TooLarge
