"""What a patched method returns, and how it is watched until the call has ended.

A stream object stays the client's own: same class, same identity, same laziness, same exceptions. It keeps the iterator
of its chunks in one attribute, and below it an HTTP response with the stream of bytes; these two are replaced by
transparent proxies, whose ``isinstance``, attributes and methods are those of what they wrap. (A suspended generator
could never be pickled or copied, and an HTTP response leaves its byte stream out.) Where a client's stream is a plain
generator, it is replaced by such a proxy itself.

The chunks tell what the answer is, and whether it was drained or broke. The bytes tell of a ``close()``, whichever
object it is called on: the stream, a helper around it, or the response itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import cached_property
from typing import Any

from wrapt import ObjectProxy

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
    own = (_within(result, shape.iterator, MAX_WRAPPERS) if call.streams else None) or result
    if _keeps(own, shape.iterator):
        _take_stream(call, own, shape)
    elif _keeps(own, shape.raw_response):
        _take_body(call, getattr(own, shape.raw_response))
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
    response = getattr(stream, shape.stream_response)
    chunks = getattr(stream, shape.iterator)
    call.follow(call.operation.make_accumulator())
    response.stream = _watched_bytes(response.stream, call, gather=False)
    setattr(stream, shape.iterator, (_AsyncChunks if hasattr(chunks, "__anext__") else _Chunks)(chunks, call))
    abandoned.watch(stream, call)


def _take_body(call: ModelCall, response: Any) -> None:
    """The program has asked for the HTTP response itself: read a copy of its body, as far as it came."""
    body = Body(call.operation, response.headers)
    call.follow(body)
    if response.is_closed:
        body.add_plain(response.content)
        call.drained()
    else:
        response.stream = _watched_bytes(response.stream, call, gather=True)
        abandoned.watch(response, call)


def _watched_bytes(stream: Any, call: ModelCall, *, gather: bool) -> Any:
    return (_AsyncBytes if hasattr(stream, "__aiter__") else _Bytes)(stream, call, gather)


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
        if call.over:
            return advance(*args)
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
        return item


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
        if call.over:
            return await advance(*args)
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
        return item


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


class _Bytes(ObjectProxy):  # type: ignore[type-arg]  # as above
    """The byte stream of an HTTP response: says when it is closed, and gives its bytes where nobody else reads them.

    It may be closed inside the garbage collector too, with a stream that is abandoned; but then the call has been
    claimed: whoever watches over the stream is told before anything of it is finalised.
    """

    def __init__(self, stream: Any, call: ModelCall, gather: bool) -> None:
        super().__init__(stream)
        self._self_call = call
        self._self_gather = gather

    def __iter__(self) -> Iterator[bytes]:
        pieces = iter(self.__wrapped__)
        return _Chunks(pieces, self._self_call) if self._self_gather else pieces

    def close(self) -> None:
        """Close, and say so."""
        try:
            self.__wrapped__.close()
        finally:
            self._self_call.closed()


class _AsyncBytes(ObjectProxy):  # type: ignore[type-arg]  # as above
    """The same, where the client waits in the event loop."""

    def __init__(self, stream: Any, call: ModelCall, gather: bool) -> None:
        super().__init__(stream)
        self._self_call = call
        self._self_gather = gather

    def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = self.__wrapped__.__aiter__()
        return _AsyncChunks(pieces, self._self_call) if self._self_gather else pieces

    async def aclose(self) -> None:
        """Close, and say so."""
        try:
            await self.__wrapped__.aclose()
        finally:
            self._self_call.closed()
