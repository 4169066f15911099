"""How a client is described to the machinery: plain data and functions, one :class:`Provider` a client library."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from sentrial.types import LlmRequest, LlmResponse

_NOTHING: Mapping[str, Any] = {}


class Role(Enum):
    """What a patched method is to a call.

    ``CALL``: it makes one. ``ATTEMPT``: it runs once for each attempt inside a call, so that retries can be
    told. ``REFUSED``: it gets the answer of an attempt that failed, an object with ``status_code``.
    ``TOOL``: it runs a tool that a model has asked for. ``OWN_TRACER``: a property that gives the tracer of the
    client's own spans; it gives ``None`` while we record.
    """

    CALL = "call"
    ATTEMPT = "attempt"
    REFUSED = "refused"
    TOOL = "tool"
    OWN_TRACER = "own tracer"


@dataclass(frozen=True, slots=True)
class Target:
    """A method to patch, or with ``cls=None`` a function of the module.

    ``module`` is hooked: nothing is patched before the program itself has imported it. A target that a version of the
    client does not have is left out; the others are patched all the same.
    """

    module: str
    cls: str | None
    method: str
    role: Role = Role.CALL

    def __str__(self) -> str:
        return ".".join(filter(None, (self.module, self.cls, self.method)))

    def owner(self) -> type | ModuleType | None:
        """The class, or the module, that has the method; ``None`` where the program has not imported it."""
        module = sys.modules.get(self.module)
        if module is None or self.cls is None:
            return module
        # Not by getattr: some modules import their submodules when they are asked for a name.
        found = vars(module).get(self.cls)
        return found if isinstance(found, type) else None


class Accumulator(Protocol):
    """Makes of the chunks of a stream what the plain answer would have been.

    ``complete``: whether the chunk has come that says that the answer is whole; what fails after that, or is left
    unread, is none of the call's.
    """

    complete: bool

    def add(self, chunk: Any) -> None:
        """Take one chunk, an object of the client's or the dict it was made from. Runs once a chunk: must be cheap."""

    def result(self) -> Any:
        """What has come so far, in the shape that ``read_response`` reads."""


def _nothing_in(error: BaseException) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of call, as the API on the other side knows it.

    ``name``: the conventions' word for it. ``read_request`` runs on the user's thread before the call, so it only picks
    values, and defers content. ``read_response`` reads an object of the client's, the dict it was made from, or what
    ``make_accumulator`` made of chunks. ``last_event``: the data of the server-sent event after the last chunk, where
    the API sends one that is no chunk. ``answer_in``: the answer inside an exception, of a client that refuses it.
    """

    name: str
    read_request: Callable[[Outgoing], LlmRequest]
    read_response: Callable[[Any], LlmResponse]
    make_accumulator: Callable[[], Accumulator]
    last_event: str | None = None
    answer_in: Callable[[BaseException], Any] = _nothing_in


class Outgoing(NamedTuple):
    """A call that is about to be made. ``body``: what is asked, in the terms of the API; not ours to change.

    ``client``: the object whose method is called. ``path``: where the call goes, below the client's base URL.
    ``query`` and ``headers``: what the program adds to those of the client.
    """

    operation: Operation
    client: Any
    body: Mapping[str, Any]
    stream: bool = False
    path: str = ""
    query: Mapping[str, Any] = _NOTHING
    headers: Mapping[str, Any] = _NOTHING


class ToolRun(NamedTuple):
    """A tool that is about to be run, because a model has asked for it. ``call_id``: the model's name for the run.

    ``function``: the program's own, where it is known: one that is decorated records itself.
    """

    name: str
    arguments: Any = None
    call_id: str | None = None
    description: str | None = None
    function: Any = None


class ToolOutcome(NamedTuple):
    """What a tool gave. ``error``: words, ``{"type": ..., "message": ...}`` or an exception, where it failed and the
    client tells the model so."""

    output: Any = None
    error: Any = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the objects that a client returns keep what the machinery has to see: names of attributes.

    ``iterator``: on a stream object, the iterator of its chunks. ``stream_response``: on a stream object, the HTTP
    response below it. ``raw_response``: on the object of a raw call, the HTTP response that the program reads itself.
    """

    iterator: str
    stream_response: str
    raw_response: str


def _itself(value: Any) -> Any:
    return value


def _nothing_sent(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    return _NOTHING


def _no_tool(method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ToolRun | None:
    return None


def _as_it_is(result: Any) -> ToolOutcome:
    return ToolOutcome(result)


@dataclass(frozen=True, slots=True)
class Provider:
    """One client library.

    ``name``: the library, as users name it. ``recognise(client, args, kwargs)``: which kind of call a patched method is
    about to make; ``None`` for one that is no business of ours. ``shape``: ``None`` where streams are plain generators.
    ``identify(client)``: what the copies of one client have in common; from the client as the program has it, or from
    the object whose method is patched. ``read_tool(method, args, kwargs)``: the tool that a ``TOOL`` target is about to
    run, ``None`` for one that is recorded elsewhere; ``read_tool_result``: what it gave, in the terms of the API;
    ``read_tool_error``: what the tool raised, where the client has put an exception of its own around it.
    ``read_error_code``: the provider's word for what went wrong, in an exception of the client's. ``read_sent(args,
    kwargs)``: the body as an ``ATTEMPT`` target sends it, plain data, for a request that said it is ``unread``.
    ``packages``: the packages that the classes of its clients are defined in. ``surfaces``: public methods above those
    that are patched, in which other instrumentations stand, if they do.
    """

    name: str
    targets: Sequence[Target]
    recognise: Callable[[Any, Sequence[Any], Mapping[str, Any]], Outgoing | None]
    shape: Shape | None = None
    identify: Callable[[Any], Any] = _itself
    read_tool: Callable[[str, Sequence[Any], Mapping[str, Any]], ToolRun | None] = _no_tool
    read_tool_result: Callable[[Any], ToolOutcome] = _as_it_is
    read_tool_error: Callable[[BaseException], BaseException] = _itself
    read_sent: Callable[[Sequence[Any], Mapping[str, Any]], Mapping[str, Any]] = _nothing_sent
    read_error_code: Callable[[BaseException], str | None] = _nothing_in
    packages: Sequence[str] = ()
    surfaces: Sequence[Target] = ()
