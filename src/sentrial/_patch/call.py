"""The flow of a call, written once and without I/O: the drivers tell it what happened, and it keeps the span.

Nothing here raises into the program (but in our own tests, see :mod:`sentrial._guard`), and nothing here changes
what the program gets: a call that we fail to read is still made, and its span still ends.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from sentrial import _config, _guard, _runtime, _session, semconv
from sentrial._patch import attempts, doubled
from sentrial._patch.attempts import Attempts
from sentrial._patch.spec import Accumulator, Arguments, Operation, Outgoing, Provider, Shape
from sentrial._spans import llm
from sentrial._spans.llm import AnyCall
from sentrial.types import LlmRequest, LlmResponse

_passing: ContextVar[bool] = ContextVar("sentrial-call-not-recorded", default=False)

_process = object()
"""This process: another object in each child that is forked."""

# OpenTelemetry's instrumentations know the mark under both names.
_SUPPRESSED = (otel_context._SUPPRESS_INSTRUMENTATION_KEY, "suppress_instrumentation")


class ModelCall:
    """One call of a patched method, from its start until its span ends: once, whoever says so first."""

    __slots__ = (
        "_attempts", "_claim", "_context", "_fields", "_is_first", "_llm", "_moment", "_process", "_provider",
        "accumulator", "asks_for_usage", "forget", "operation", "over", "streams", "working",
    )  # fmt: skip

    def __init__(self, provider: Provider, operation: Operation, client: object, call: AnyCall) -> None:
        self._provider = provider
        self._fields: Mapping[str, Any] | None = None
        self.operation = operation
        self.accumulator: Accumulator | None = None
        self.asks_for_usage = False
        self.forget: Callable[[ModelCall], None] | None = None
        self.over = False
        self.streams = call.request.stream
        self.working = 0
        self._is_first = call.request.stream
        self._llm = call
        self._attempts = Attempts(client, call)
        self._context = self._attempts.inside(call.context)
        self._moment: int | None = None
        # A lock that is taken once and never given back: the one atomic "first come" that is also safe inside the
        # garbage collector, where waiting could be for ever.
        self._claim = threading.Lock()
        self._process = _process

    def await_content(self, outgoing: Outgoing) -> None:
        """Take the content from what is sent: what the program gave cannot be looked at without using it up."""

        def read(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
            body = self._provider.read_sent(args, kwargs)
            self._llm.give_content(self.operation.read_request(outgoing._replace(body=body)))

        self._attempts.read_sent = read

    # --- what the client is called with ----------------------------------------------------------------------------

    @_guard.guarded("asking for the tokens of a stream", _guard.nothing)
    def ask_for_usage(self, outgoing: Outgoing) -> None:
        """Have the request ask for the tokens of the stream, if the program does not say whether it wants them."""
        usage = self.operation.stream_usage
        if usage is not None:
            self._fields = usage.ask(outgoing)

    def arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
        """What to call the method with: what the program gave, or a copy that asks for something of ours too."""
        add_fields = self._provider.add_fields
        if not self._fields or add_fields is None:
            return args, kwargs
        try:
            added, named = add_fields(args[1:], kwargs, self._fields)
        except Exception as error:  # noqa: BLE001 - without what we would add it is still the program's call
            _guard.failed(f"adding to a request of {self._named}", error)
            return args, kwargs
        self.asks_for_usage = True
        return (args[0], *added), named

    @_guard.guarded("taking the tokens out of a stream", _guard.nothing)
    def takes_out(self, chunk: Any) -> bool | None:
        """Take out of ``chunk`` what the program has not asked for; whether nothing is left that it should see."""
        usage = self.operation.stream_usage
        return usage is not None and usage.take_out(chunk)

    # --- being current ---------------------------------------------------------------------------------------------

    @_guard.guarded("making a call current", _runtime.get_current)
    def enter(self) -> Context:
        """Make the span current while the client works: the HTTP request's span nests under it. Gives what was."""
        self.working += 1
        before = _runtime.get_current()
        _runtime.attach(self._context)
        return before

    @_guard.guarded("making a call current no longer", _guard.nothing)
    def leave(self, before: Context) -> None:
        """Make current again what was: between the pieces of a stream the program does its own work.

        By setting it, never by a token: a token works in one task only. Elsewhere than in that task nothing changes.
        """
        self.working -= 1
        if _runtime.get_current() is self._context:
            _runtime.attach(before)

    # --- the call --------------------------------------------------------------------------------------------------

    @_guard.guarded("taking an answer", _guard.nothing)
    def returned(self, answer: Any) -> None:
        """The client has answered in full: ``answer`` in any form the provider reads."""
        if self.claim():
            self._end(answer, None)

    @_guard.guarded("taking an exception", _guard.nothing)
    def raised(self, error: BaseException) -> None:
        """The client has raised ``error`` instead of an answer."""
        if self.claim():
            self._fail(error, self._answer_in(error))

    # --- its stream ------------------------------------------------------------------------------------------------

    def follow(self, accumulator: Accumulator) -> None:
        """The answer comes in pieces, which ``accumulator`` gathers."""
        self.accumulator = accumulator
        self._moment = time.time_ns()
        self._llm.follow(self._so_far)

    @_guard.guarded("taking a chunk", _guard.nothing)
    def chunk(self, item: Any) -> None:
        """A piece of the answer has come."""
        if self.over:
            return
        self._moment = time.time_ns()
        if self._is_first:
            self._is_first = False
            self._llm.mark_chunk()
        accumulator = self.accumulator
        if accumulator is not None:
            try:
                accumulator.add(item)
            except Exception as error:  # noqa: BLE001 - what we cannot read must still reach the program
                _guard.failed(f"reading a chunk of {self._named}", error)

    @_guard.guarded("ending a stream", _guard.nothing)
    def drained(self) -> None:
        """The stream has said all there is."""
        if self.claim():
            self._end(self._gathered(), self._in_full)

    @_guard.guarded("ending a stream", _guard.nothing)
    def broke(self, error: BaseException) -> None:
        """The stream has raised ``error``."""
        if self.claim():
            gathered = self._gathered()
            if self._is_complete:
                # Everything was said: what fails after that is only the clearing away.
                self._end(gathered, self._in_full)
            else:
                self._fail(error, gathered)

    @_guard.guarded("ending a stream", _guard.nothing)
    def closed(self) -> None:
        """The program has closed the stream, unless it is the client that does so while it reads."""
        if not self.working and self.claim():
            gathered = self._gathered()
            self._end(gathered, self._in_full if self._is_complete else llm.STREAM_CLOSED)

    def end_claimed(self, stream_end: str) -> None:
        """End the call, later than it was claimed: it was over when its last chunk came."""
        self._end(self._gathered(), stream_end, self._moment)

    @property
    def _in_full(self) -> str | None:
        # The body of a plain answer that the program reads piece by piece is no stream.
        return llm.STREAM_DRAINED if self.streams else None

    # --- the end ---------------------------------------------------------------------------------------------------

    def claim(self) -> bool:
        """Whether the caller is the first who wants to end this call, and so the one who must.

        What was under way when the process was forked is the parent's to end.
        """
        if self.over or self._process is not _process or not self._claim.acquire(blocking=False):
            return False
        self.over = self._attempts.over = True
        if self.forget is not None:
            self.forget(self)
        return True

    @property
    def shape(self) -> Shape | None:
        """Where the client's objects keep what is watched."""
        return self._provider.shape

    @property
    def _named(self) -> str:
        return f"{self._llm.request.operation} of {self._llm.request.provider}"

    @property
    def _is_complete(self) -> bool:
        return self.accumulator is not None and self.accumulator.complete

    def _answer_in(self, error: BaseException) -> Any:
        try:
            return self.operation.answer_in(error)
        except Exception as failure:  # noqa: BLE001 - a span without its answer is better than a broken program
            _guard.failed(f"reading an exception of {self._named}", failure)
            return None

    def _read_code(self, error: BaseException) -> dict[str, Any]:
        try:
            code = self._provider.read_error_code(error)
        except Exception as failure:  # noqa: BLE001 - a span without the code is better than none
            _guard.failed(f"reading the code of an error of {self._named}", failure)
            code = None
        return {semconv.SENTRIAL_ERROR_CODE: code} if code else {}

    def _gathered(self) -> Any:
        if self.accumulator is None:
            return None
        try:
            return self.accumulator.result()
        except Exception as error:  # noqa: BLE001 - a span without its answer is better than a broken program
            _guard.failed(f"reading a stream of {self._named}", error)
            return None

    def _so_far(self) -> LlmResponse | None:
        # Of a call that is over, too: what it asked for is not remembered yet while its end is read.
        return self._read(self._gathered())

    def _read(self, answer: Any) -> LlmResponse | None:
        if answer is None:
            return None
        try:
            return self.operation.read_response(answer)
        except Exception as error:  # noqa: BLE001 - a span without its answer is better than a broken program
            _guard.failed(f"reading an answer of {self._named}", error)
            return None

    def _end(self, answer: Any, stream_end: str | None, end_time: int | None = None) -> None:
        try:
            self._llm.succeed(self._read(answer), stream_end=stream_end, end_time=end_time)
        except Exception as error:  # noqa: BLE001 - span processors are anybody's, and the program has its answer
            _guard.failed(f"ending a call of {self._named}", error)

    def _fail(self, error: BaseException, answer: Any) -> None:
        try:
            stream_end = llm.STREAM_ERROR if self.accumulator is not None and self.streams else None
            self._llm.fail(error, self._read(answer), stream_end=stream_end, attributes=self._read_code(error))
        except Exception as failure:  # noqa: BLE001 - the program must get its own exception, not ours
            _guard.failed(f"ending a call of {self._named}", failure)


def begin(provider: Provider, client: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ModelCall | None:
    """The call that is about to be made; ``None`` where it must not be recorded, or cannot be."""
    try:
        context = otel_context.get_current()
        # Where a client works for another one, the call of that one tells of both.
        if is_suppressed(context) or attempts.current(context) is not None:
            return None
        outgoing = provider.recognise(client, args, kwargs)
        if outgoing is None or doubled.is_told_by_another(context, provider.name, provider.packages):
            return None
    except Exception as error:  # noqa: BLE001 - what we cannot read must still be sent
        _guard.failed(f"recognising a call of {provider.name}", error)
        return None
    operation = outgoing.operation
    try:
        request = operation.read_request(outgoing)
    except Exception as error:  # noqa: BLE001 - what we cannot read must still be sent
        _guard.failed(f"reading a request of {provider.name}", error)
        request = LlmRequest(operation=operation.name, provider=provider.name, stream=outgoing.stream)
    try:
        call = ModelCall(provider, operation, client, llm.begin(request))
        if request.unread:
            call.await_content(outgoing)
        if outgoing.stream and _config.active.stream_usage:
            call.ask_for_usage(outgoing)
        return call
    except Exception as error:  # noqa: BLE001 - samplers and span processors are anybody's
        _guard.failed(f"beginning a call of {provider.name}", error)
        return None


@contextmanager
def passing() -> Iterator[None]:
    """A patched method makes a call that is not recorded."""
    before = _passing.get()
    _passing.set(True)
    try:
        yield
    finally:
        # By its value, never by a token: the garbage collector may close a coroutine in another context.
        _passing.set(before)


def is_suppressed(context: Context) -> bool:
    """Whether the program wants no spans of instrumentations there."""
    return any(map(context.get, _SUPPRESSED))


def is_told() -> bool:
    """Whether ours are the spans of what happens here: inside a call that is recorded, and around it in a session."""
    return attempts.current() is not None or (not _passing.get() and _session.current() is not None)


def _after_fork() -> None:
    global _process
    _process = object()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
