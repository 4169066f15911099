"""What a patched method returns, and how it is watched until the call has ended.

A stream stays the client's own object: same class, same identity, same laziness, same exceptions. It keeps the iterator
of its chunks in one attribute, and below it an HTTP response with the stream of bytes; these two are replaced by
transparent proxies, whose ``isinstance``, attributes and methods are those of what they wrap. (A suspended generator
could never be pickled or copied, and an HTTP response leaves its byte stream out.)

The chunks tell what the answer is, and whether it was drained or broke. The bytes tell of a ``close()``, whichever
object it is called on: the stream, a helper around it, or the response itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from wrapt import ObjectProxy

from sentrial._patch import abandoned
from sentrial._patch.body import Body
from sentrial._patch.call import ModelCall
from sentrial._spans.llm import STREAM_CANCELLED

MAX_WRAPPERS = 4
"""How many wrappers of others we look into, one in the other, for the client's own stream."""


def take(call: ModelCall, result: Any) -> None:
    """End ``call`` with what the patched method has returned, or watch that until it ends."""
    shape = call.provider.shape
    own = (_within(result, shape.iterator, MAX_WRAPPERS) if call.streams else None) or result
    fields = getattr(own, "__dict__", ())
    if shape.iterator in fields:
        _take_stream(call, own)
    elif shape.raw_response in fields:
        _take_body(call, getattr(own, shape.raw_response))
    else:
        call.returned(result)


def _within(result: Any, name: str, depth: int) -> Any:
    """The client's own object, the one with ``name``: ``result``, or what other instrumentations have put into theirs.

    One of theirs is a proxy of wrapt's or a class of their own, with the stream among its attributes; no more than
    ``depth`` in one another.
    """
    fields = getattr(result, "__dict__", {})
    if name in fields:
        return result
    if depth:
        for inner in (getattr(result, "__wrapped__", None), *fields.values()):
            if hasattr(type(inner), "__iter__") or hasattr(type(inner), "__aiter__"):
                found = _within(inner, name, depth - 1)
                if found is not None:
                    return found
    return None


def _take_stream(call: ModelCall, stream: Any) -> None:
    shape = call.provider.shape
    response = getattr(stream, shape.stream_response)
    chunks = getattr(stream, shape.iterator)
    call.follow(call.provider.make_accumulator())
    response.stream = _watched_bytes(response.stream, call, gather=False)
    setattr(stream, shape.iterator, (_AsyncChunks if hasattr(chunks, "__anext__") else _Chunks)(chunks, call))
    abandoned.watch(stream, call)


def _take_body(call: ModelCall, response: Any) -> None:
    """The program has asked for the HTTP response itself: read a copy of its body, as far as it came."""
    body = Body(call.provider, response.headers)
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
        call: ModelCall = self._self_call
        if call.over:
            return next(self.__wrapped__)
        before = call.enter()
        try:
            item = next(self.__wrapped__)
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
        call: ModelCall = self._self_call
        if call.over:
            return await self.__wrapped__.__anext__()
        before = call.enter()
        try:
            item = await self.__wrapped__.__anext__()
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
