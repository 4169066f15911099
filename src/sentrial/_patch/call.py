"""The flow of a call, written once and without I/O: the drivers tell it what happened, and it keeps the span.

Nothing here raises into the program (but in our own tests, see :mod:`sentrial._guard`), and nothing here changes
what the program gets: a call that we fail to read is still made, and its span still ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from sentrial import _guard, _runtime
from sentrial._patch.spec import Accumulator, Provider
from sentrial._spans import llm
from sentrial._spans.llm import LlmCall
from sentrial.types import LlmRequest, LlmResponse

# OpenTelemetry's instrumentations know the mark under both names.
_SUPPRESSED = (otel_context._SUPPRESS_INSTRUMENTATION_KEY, "suppress_instrumentation")


class ModelCall:
    """One call of a patched method, from its start until its span ends: once, whoever says so first."""

    __slots__ = (
        "_claim", "_context", "_is_first", "_llm", "_moment",
        "accumulator", "forget", "over", "provider", "streams", "working",
    )  # fmt: skip

    def __init__(self, provider: Provider, call: LlmCall) -> None:
        self.provider = provider
        self.accumulator: Accumulator | None = None
        self.forget: Callable[[ModelCall], None] | None = None
        self.over = False
        self.streams = call.request.stream
        self.working = 0
        self._is_first = call.request.stream
        self._llm = call
        self._context = call.context
        self._moment: int | None = None
        # A lock that is taken once and never given back: the one atomic "first come" that is also safe inside the
        # garbage collector, where waiting could be for ever.
        self._claim = threading.Lock()

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
            self._fail(error, None)

    # --- its stream ------------------------------------------------------------------------------------------------

    def follow(self, accumulator: Accumulator) -> None:
        """The answer comes in pieces, which ``accumulator`` gathers."""
        self.accumulator = accumulator
        self._moment = time.time_ns()

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
                self.accumulator = None
                _guard.failed(f"reading a chunk of {self.provider.name}", error)

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
            if _is_complete(self.accumulator):
                # Everything was said: what fails after that is only the clearing away.
                self._end(gathered, self._in_full)
            else:
                self._fail(error, gathered)

    @_guard.guarded("ending a stream", _guard.nothing)
    def closed(self) -> None:
        """The program has closed the stream, unless it is the client that does so while it reads."""
        if not self.working and self.claim():
            gathered = self._gathered()
            self._end(gathered, self._in_full if _is_complete(self.accumulator) else llm.STREAM_CLOSED)

    def end_claimed(self, stream_end: str) -> None:
        """End the call, later than it was claimed: it was over when its last chunk came."""
        self._end(self._gathered(), stream_end, self._moment)

    @property
    def _in_full(self) -> str | None:
        # The body of a plain answer that the program reads piece by piece is no stream.
        return llm.STREAM_DRAINED if self.streams else None

    # --- the end ---------------------------------------------------------------------------------------------------

    def claim(self) -> bool:
        """Whether the caller is the first who wants to end this call, and so the one who must."""
        if self.over or not self._claim.acquire(blocking=False):
            return False
        self.over = True
        if self.forget is not None:
            self.forget(self)
        return True

    def _gathered(self) -> Any:
        if self.accumulator is None:
            return None
        try:
            return self.accumulator.result()
        except Exception as error:  # noqa: BLE001 - a span without its answer is better than a broken program
            _guard.failed(f"reading a stream of {self.provider.name}", error)
            return None

    def _read(self, answer: Any) -> LlmResponse | None:
        if answer is None:
            return None
        try:
            return self.provider.read_response(answer)
        except Exception as error:  # noqa: BLE001 - a span without its answer is better than a broken program
            _guard.failed(f"reading an answer of {self.provider.name}", error)
            return None

    def _end(self, answer: Any, stream_end: str | None, end_time: int | None = None) -> None:
        try:
            self._llm.succeed(self._read(answer), stream_end=stream_end, end_time=end_time)
        except Exception as error:  # noqa: BLE001 - span processors are anybody's, and the program has its answer
            _guard.failed(f"ending a call of {self.provider.name}", error)

    def _fail(self, error: BaseException, answer: Any) -> None:
        try:
            stream_end = llm.STREAM_ERROR if self.accumulator is not None and self.streams else None
            self._llm.fail(error, self._read(answer), stream_end=stream_end)
        except Exception as failure:  # noqa: BLE001 - the program must get its own exception, not ours
            _guard.failed(f"ending a call of {self.provider.name}", failure)


def begin(provider: Provider, instance: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ModelCall | None:
    """The call that is about to be made; ``None`` where it must not be recorded, or cannot be."""
    context = otel_context.get_current()
    if any(map(context.get, _SUPPRESSED)):
        return None
    try:
        request = provider.read_request(instance, args, kwargs)
    except Exception as error:  # noqa: BLE001 - what we cannot read must still be sent
        _guard.failed(f"reading a request of {provider.name}", error)
        request = LlmRequest(operation=provider.operation, provider=provider.name)
    try:
        return ModelCall(provider, llm.begin(request))
    except Exception as error:  # noqa: BLE001 - samplers and span processors are anybody's
        _guard.failed(f"beginning a call of {provider.name}", error)
        return None


def _is_complete(accumulator: Accumulator | None) -> bool:
    return bool(getattr(accumulator, "complete", False))
