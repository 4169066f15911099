"""How a library is described to the machinery: plain data and functions; a :class:`Provider` or :class:`Framework`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from sentrial.types import LlmRequest, LlmResponse

_NOTHING: Mapping[str, Any] = {}

Arguments = tuple[Sequence[Any], Mapping[str, Any]]
"""The arguments of a method, by position and by name."""


class Role(Enum):
    """What a patched method is to a call.

    ``CALL``: it makes one. ``ATTEMPT``: it runs once for each attempt inside a call, so that retries can be told; where
    it runs outside of any call of ours, somebody may have taken our patches out. ``REFUSED``: it gets the answer of an
    attempt that failed, an object with ``status_code``. ``TOOL``: it runs a tool that a model has asked for.
    ``OWN_TRACER``: a property that gives the tracer of the client's own spans; it gives ``None`` while we record.
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
    client does not have is left out; the others are patched all the same. ``unless``: a class of the module and a
    method: a version that has it does not need this target.
    """

    module: str
    cls: str | None
    method: str
    role: Role = Role.CALL
    unless: tuple[str, str] | None = None

    def __str__(self) -> str:
        return ".".join(filter(None, (self.module, self.cls, self.method)))

    def owner(self) -> type | ModuleType | None:
        """The class, or the module, that has the method; ``None`` where the program has not imported it."""
        module = sys.modules.get(self.module)
        if module is None or self.cls is None:
            return module
        # Not by getattr: some modules import their submodules when they are asked for a name.
        found = vars(module).get(self.cls)
        if self.unless is not None and hasattr(vars(module).get(self.unless[0]), self.unless[1]):
            return None
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
        """What has come so far, in the shape that ``read_response`` reads. Another thread may ask, while chunks come:
        one that runs a tool."""


def _nothing_in(error: BaseException) -> None:
    return None


@dataclass(frozen=True, slots=True)
class StreamUsage:
    """How the streams of an API are made to report their tokens, where it reports them only on request.

    ``ask(outgoing)``: the fields of the body that ask; ``None`` where the program has said itself what it wants, where
    it reads the answer as bytes, and where nothing is gained by asking. ``take_out(chunk)``: take out of a chunk what
    is there because it was asked for; ``True`` where that is all of it, and the program must not see it.
    """

    ask: Callable[[Outgoing], Mapping[str, Any] | None]
    take_out: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of call, as the API on the other side knows it.

    ``name``: the conventions' word for it. ``read_request`` runs on the user's thread before the call, so it only picks
    values, and defers content. ``read_response`` reads an object of the client's, the dict it was made from, or what
    ``make_accumulator`` made of chunks. ``last_event``: the data of the server-sent event after the last chunk, where
    the API sends one that is no chunk. ``answer_in``: the answer inside an exception, of a client that refuses it.
    ``stream_usage``: for an API whose streams report their tokens only on request.
    """

    name: str
    read_request: Callable[[Outgoing], LlmRequest]
    read_response: Callable[[Any], LlmResponse]
    make_accumulator: Callable[[], Accumulator]
    last_event: str | None = None
    answer_in: Callable[[BaseException], Any] = _nothing_in
    stream_usage: StreamUsage | None = None


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

    ``function``: the program's own, where it is known: one that is decorated records itself. ``client``: the one that
    runs it, or an object that has that in common with it, see ``identify``; where it is known.
    """

    name: str
    arguments: Any = None
    call_id: str | None = None
    description: str | None = None
    function: Any = None
    client: Any = None


TOOL_ERROR = "tool_error"
"""The conventions' type of error of a tool that tells of its own failure."""


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
    ``add_fields(args, kwargs, fields)``: the arguments of a ``CALL`` target for a body that has ``fields``, too, in
    place of its own of those names: copies, for what the program gave stays as it is; an operation with
    ``stream_usage`` needs it.
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
    add_fields: Callable[[Sequence[Any], Mapping[str, Any], Mapping[str, Any]], Arguments] | None = None
    read_error_code: Callable[[BaseException], str | None] = _nothing_in
    packages: Sequence[str] = ()
    surfaces: Sequence[Target] = ()


@dataclass(frozen=True, slots=True)
class Framework:
    """A library that calls us back: none of its methods is patched.

    ``name``: as users name it. ``entrance``: the function of the framework's that lets others in. ``install(function)``
    gets it once the program has imported its module, and again after ``uninstall()``. ``surfaces``: methods in which
    other instrumentations stand, if they do.
    """

    name: str
    entrance: Target
    install: Callable[[Any], None]
    uninstall: Callable[[], None]
    surfaces: Sequence[Target] = ()


Library = Provider | Framework
"""What can be recorded."""
