"""What a patched method returns, and how it is watched until the call has ended.

A stream object stays the client's own: same class, same identity, same laziness, same exceptions. It keeps the iterator
of its chunks in one attribute, and below it an HTTP response with the stream of bytes; these two are replaced by
transparent proxies, whose ``isinstance``, attributes and methods are those of what they wrap. (A suspended generator
could never be pickled or copied, and an HTTP response leaves its byte stream out.) Where a client's stream is a plain
generator, it is replaced by such a proxy itself.

The chunks tell what the answer is, and whether it was drained or broke. The bytes tell of a ``close()``, whichever
object it is called on: the stream, a helper around it, or the response itself. Where the program reads the response
and not the stream above it (a proxy that passes the bytes on), the bytes tell the rest too.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cached_property
from typing import Any

from wrapt import ObjectProxy

from sentrial import _guard
from sentrial._patch import abandoned
from sentrial._patch.body import Body
from sentrial._patch.call import ModelCall
from sentrial._patch.spec import Shape
from sentrial._spans.llm import STREAM_CANCELLED

MAX_WRAPPERS = 4
"""How many wrappers of others we look into, one in the other, for the client's own stream."""


def take(call: ModelCall, result: Any) -> Any:
    """End ``call`` with what the patched method returned, or watch that until it ends; gives what the program gets."""
    shape = call.shape
    if shape is None:
        return _take_generator(call, result)
    stream = _within(result, shape.iterator, MAX_WRAPPERS) if call.streams else None
    fields = getattr(result, "__dict__", {})
    if stream is not None:
        _take_stream(call, stream, shape)
    elif shape.raw_response in fields:
        _take_body(call, fields[shape.raw_response])
    elif "is_closed" in fields:
        _take_body(call, result)  # the HTTP response itself: `client.post(..., cast_to=httpx.Response)`
    else:
        call.returned(result)
    return result


def _take_generator(call: ModelCall, result: Any) -> Any:
    watched: Any
    if call.streams and hasattr(result, "__next__"):
        watched = _Generator(result, call)
    elif call.streams and hasattr(result, "__anext__"):
        watched = _AsyncGenerator(result, call)
    else:
        call.returned(result)
        return result
    call.follow(call.operation.make_accumulator())
    abandoned.watch(watched, call)
    return watched


def _within(result: Any, name: str, depth: int) -> Any:
    """The client's own object, the one with ``name``: ``result``, or what other instrumentations have put into theirs.

    One of theirs is a proxy of wrapt's or a class of their own, with the stream among its attributes; no more than
    ``depth`` in one another.
    """
    if _keeps(result, name):
        return result
    if depth:
        for inner in (getattr(result, "__wrapped__", None), *getattr(result, "__dict__", {}).values()):
            if hasattr(type(inner), "__iter__") or hasattr(type(inner), "__aiter__"):
                found = _within(inner, name, depth - 1)
                if found is not None:
                    return found
    return None


def _keeps(holder: Any, name: str) -> bool:
    """Whether ``holder`` has a field of that name, be it one that is made when somebody wants it."""
    return name in getattr(holder, "__dict__", ()) or type(getattr(type(holder), name, None)) is cached_property


def _take_stream(call: ModelCall, stream: Any, shape: Shape) -> None:
    call.follow(call.operation.make_accumulator())
    _watch_bytes(call, getattr(stream, shape.stream_response), weakref.ref(stream))
    setattr(stream, shape.iterator, _watched(getattr(stream, shape.iterator), call))


def _take_body(call: ModelCall, response: Any) -> None:
    """The program has asked for the HTTP response itself: read a copy of its body, as far as it came."""
    body = Body(call.operation, response.headers)
    call.follow(body)
    if response.is_closed:
        body.add_plain(response.content)
        call.drained()
    else:
        _watch_bytes(call, response, None)


def _watch_bytes(call: ModelCall, response: Any, stream: weakref.ref[Any] | None) -> None:
    """Watch what comes over the wire. ``stream``: the object above, which the program may read and let go of."""
    stream_of_bytes = response.stream
    proxy = _AsyncBytes if hasattr(stream_of_bytes, "__aiter__") else _Bytes
    response.stream = proxy(stream_of_bytes, call, response.headers, stream)
    # Not the stream above: the program may keep nothing but the response. (The stream keeps it too.)
    abandoned.watch(response, call)


def _watched(pieces: Any, call: ModelCall) -> Any:
    return (_AsyncChunks if hasattr(pieces, "__anext__") else _Chunks)(pieces, call)


class _Chunks(ObjectProxy):  # type: ignore[type-arg]  # generic in wrapt's newest stubs only
    """The iterator of a stream's chunks. The span is current while it waits for the next one, and not between."""

    def __init__(self, iterator: Iterator[Any], call: ModelCall) -> None:
        super().__init__(iterator)
        self._self_call = call

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._self_wait(self.__wrapped__.__next__)

    def _self_wait(self, advance: Callable[..., Any], *args: Any) -> Any:
        call: ModelCall = self._self_call
        while True:
            if call.over:
                item = advance(*args)
            else:
                before = call.enter()
                try:
                    item = advance(*args)
                except StopIteration:
                    call.leave(before)
                    call.drained()
                    raise
                except BaseException as error:
                    call.leave(before)
                    call.broke(error)
                    raise
                call.leave(before)
                call.chunk(item)
            if not (call.asks_for_usage and call.takes_out(item)):
                return item
            advance, args = self.__wrapped__.__next__, ()


class _AsyncChunks(ObjectProxy):  # type: ignore[type-arg]  # as above
    """The same, where the client waits in the event loop."""

    def __init__(self, iterator: AsyncIterator[Any], call: ModelCall) -> None:
        super().__init__(iterator)
        self._self_call = call

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return await self._self_wait(self.__wrapped__.__anext__)

    async def _self_wait(self, advance: Callable[..., Any], *args: Any) -> Any:
        call: ModelCall = self._self_call
        while True:
            if call.over:
                item = await advance(*args)
            else:
                before = call.enter()
                try:
                    item = await advance(*args)
                except StopAsyncIteration:
                    call.leave(before)
                    call.drained()
                    raise
                except GeneratorExit:
                    # Thrown in by the garbage collector, perhaps: no place to end a span.
                    call.leave(before)
                    abandoned.put_aside(call, STREAM_CANCELLED)
                    raise
                except BaseException as error:
                    call.leave(before)
                    call.broke(error)
                    raise
                call.leave(before)
                call.chunk(item)
            if not (call.asks_for_usage and call.takes_out(item)):
                return item
            advance, args = self.__wrapped__.__anext__, ()


class _Generator(_Chunks):
    """A generator of chunks, as the program gets it."""

    def send(self, value: Any) -> Any:
        """The next chunk."""
        return self._self_wait(self.__wrapped__.send, value)

    def throw(self, *error: Any) -> Any:
        """The next chunk, if the generator goes on; what it raises is how the call ends."""
        return self._self_wait(self.__wrapped__.throw, *error)

    def close(self) -> None:
        """Close, and say so."""
        try:
            self.__wrapped__.close()
        finally:
            self._self_call.closed()


class _AsyncGenerator(_AsyncChunks):
    """The same, where the client waits in the event loop."""

    async def asend(self, value: Any) -> Any:
        """The next chunk."""
        return await self._self_wait(self.__wrapped__.asend, value)

    async def athrow(self, *error: Any) -> Any:
        """The next chunk, if the generator goes on; what it raises is how the call ends."""
        return await self._self_wait(self.__wrapped__.athrow, *error)

    async def aclose(self) -> None:
        """Close, and say so."""
        try:
            await self.__wrapped__.aclose()
        finally:
            self._self_call.closed()


class _Wire(ObjectProxy):  # type: ignore[type-arg]  # as above
    """The byte stream of an HTTP response: says when it is closed, and what comes where nobody else tells of it.

    It may be closed inside the garbage collector too, with a stream that is abandoned; but then the call has been
    claimed: whoever watches over the stream is told before anything of it is finalised.
    """

    def __init__(self, stream: Any, call: ModelCall, headers: Any, reader: weakref.ref[Any] | None) -> None:
        super().__init__(stream)
        self._self_call = call
        self._self_headers = headers
        self._self_reader = reader
        self._self_gathers: bool | None = None

    @_guard.guarded("beginning to read a response", _guard.nothing)
    def _self_watch(self, pieces: Any) -> Any:
        """``pieces``, watched, where the program itself reads them; ``None`` where the stream above does."""
        call: ModelCall = self._self_call
        if self._self_gathers is None and not call.over:
            # A stream above reads in the middle of its own work. It may read twice: what is left, after the last event.
            self._self_gathers = not call.working
            if self._self_gathers:
                call.follow(Body(call.operation, self._self_headers))
            elif self._self_reader is not None and (reader := self._self_reader()) is not None:
                # Who lets go of a stream that has begun to read has it close the response: we have to be told before.
                abandoned.watch(reader, call)
        return _watched(pieces, call) if self._self_gathers else None


class _Bytes(_Wire):
    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self.__wrapped__)
        watched: Iterator[bytes] | None = self._self_watch(pieces)
        return pieces if watched is None else watched

    def close(self) -> None:
        """Close, and say so."""
        try:
            self.__wrapped__.close()
        finally:
            self._self_call.closed()


class _AsyncBytes(_Wire):
    def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = self.__wrapped__.__aiter__()
        watched: AsyncIterator[bytes] | None = self._self_watch(pieces)
        return pieces if watched is None else watched

    async def aclose(self) -> None:
        """Close, and say so."""
        try:
            await self.__wrapped__.aclose()
        finally:
            self._self_call.closed()
