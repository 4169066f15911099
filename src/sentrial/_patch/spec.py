"""How a client is described to the machinery: plain data and functions, one :class:`Provider` a kind of call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sentrial.types import LlmRequest, LlmResponse


@dataclass(frozen=True, slots=True)
class Target:
    """A method to patch. ``module`` is hooked: nothing is patched before the program itself has imported it.

    A target that a version of the client does not have is left out; the others are patched all the same.
    ``formerly``: the module that older versions have the class in.
    """

    module: str
    cls: str
    method: str
    formerly: str | None = None

    @property
    def modules(self) -> tuple[str, ...]:
        """Where to look for the class, the newest place first."""
        return (self.module,) if self.formerly is None else (self.module, self.formerly)

    def __str__(self) -> str:
        return f"{self.module}.{self.cls}.{self.method}"


class Accumulator(Protocol):
    """Makes of the chunks of a stream what the plain answer would have been."""

    def add(self, chunk: Any) -> None:
        """Take one chunk, an object of the client's or the dict it was made from. Runs once a chunk: must be cheap."""

    def result(self) -> Any:
        """What has come so far, in the shape that ``read_response`` reads."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the objects that a client returns keep what the machinery has to see: names of attributes.

    ``iterator``: on a stream object, the iterator of its chunks. ``stream_response``: on a stream object, the HTTP
    response below it. ``raw_response``: on the object of a raw call, the HTTP response that the program reads itself.
    ``last_event``: the data of the server-sent event that says that a stream is complete.
    """

    iterator: str
    stream_response: str
    raw_response: str
    last_event: str


@dataclass(frozen=True, slots=True)
class Provider:
    """One kind of call of one client.

    ``name``: the client, as users name it. ``operation``: the conventions' word for what the call does.
    ``read_request(instance, args, kwargs)`` runs on the user's thread before the call, so it only picks values, and
    defers content. ``read_response`` reads an object of the client's, the dict it was made from, or what
    ``make_accumulator`` made of chunks. ``native_scopes``: instrumentation scopes of spans the client emits itself.
    """

    name: str
    operation: str
    targets: Sequence[Target]
    read_request: Callable[[Any, Sequence[Any], Mapping[str, Any]], LlmRequest]
    read_response: Callable[[Any], LlmResponse]
    make_accumulator: Callable[[], Accumulator]
    shape: Shape
    native_scopes: Sequence[str] = ()
