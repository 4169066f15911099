"""Where batches go: an encoding and a sender under one name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sentrial._export.verdict import Verdict

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


class Sender(Protocol):
    """Carries encoded batches. ``send`` never raises; the verdict says what became of the body."""

    def send(self, body: bytes) -> Verdict: ...
    def close(self) -> None: ...


class Destination(Protocol):
    """What the queue feeds. Encoding and sending are apart, so that what could not be sent can be sent later as it is.

    ``name`` is for messages to people.
    """

    name: str

    def encode(self, spans: Sequence[ReadableSpan]) -> bytes: ...
    def send(self, body: bytes) -> Verdict: ...
    def close(self) -> None: ...


@dataclass
class OtlpDestination:
    """A server that speaks OTLP."""

    name: str
    encoder: Callable[[Sequence[ReadableSpan]], bytes]
    sender: Sender

    def encode(self, spans: Sequence[ReadableSpan]) -> bytes:
        """One request body with ``spans``."""
        return self.encoder(spans)

    def send(self, body: bytes) -> Verdict:
        """Sends a body made by ``encode``, in this process or another. Never raises."""
        return self.sender.send(body)

    def close(self) -> None:
        """Closes the connection; what is under way may be broken off."""
        self.sender.close()
