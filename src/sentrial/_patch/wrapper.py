"""The two drivers: they make the call, wait for it if need be, and tell :mod:`call` what happened.

A patched method is a plain function, not a proxy: it is pickled, copied, bound and inspected like the one it wraps.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sentrial import _guard
from sentrial._patch import abandoned, streams
from sentrial._patch.call import ModelCall, begin, passing
from sentrial._patch.method import callable_of
from sentrial._patch.spec import Provider
from sentrial._patch.switch import Switch
from sentrial._spans import aside
from sentrial._spans.llm import STREAM_CANCELLED

_NOTHING: Mapping[str, Any] = types.MappingProxyType({})


def build_wrapper(provider: Provider, original: Any, switch: Switch) -> Callable[..., Any]:
    """The function to put in the place of ``original``, a method as it stands in its class."""
    call = callable_of(original)
    # The async methods of some clients look synchronous until unwrapped.
    is_async = inspect.iscoroutinefunction(inspect.unwrap(original))
    traced = functools.update_wrapper((_build_async if is_async else _build_sync)(provider, call, switch), original)
    if inspect.iscoroutinefunction(original):
        traced = functools.update_wrapper(_build_coroutine_function(traced), original)
    return traced


def _build_sync(provider: Provider, original: Callable[..., Any], switch: Switch) -> Callable[..., Any]:
    def traced(*args: Any, **kwargs: Any) -> Any:
        if not args or not switch.takes(args[0]):
            return original(*args, **kwargs)
        switch.calls += 1
        call = begin(provider, args[0], args[1:], kwargs)
        if call is None:
            with passing():
                return original(*args, **kwargs)
        given, named = call.arguments(args, kwargs)
        before = call.enter()
        try:
            result = original(*given, **named)
        except BaseException as error:
            call.leave(before)
            call.raised(error)
            raise
        call.leave(before)
        if inspect.isawaitable(result):
            return _wait(call, lambda: result)
        return _take(call, result)

    return traced


def _build_async(provider: Provider, original: Callable[..., Any], switch: Switch) -> Callable[..., Any]:
    def traced(*args: Any, **kwargs: Any) -> Any:
        if not args or not switch.takes(args[0]):
            return original(*args, **kwargs)
        switch.calls += 1
        coroutine: Any = _begin_and_wait(provider, original, args, kwargs)
        # Python's words about a coroutine that is never awaited name the method that the program has called.
        coroutine.__name__, coroutine.__qualname__ = traced.__name__, traced.__qualname__
        return coroutine

    return traced


def _build_coroutine_function(traced: Callable[..., Any]) -> Callable[..., Any]:
    async def wait(*args: Any, **kwargs: Any) -> Any:
        return await traced(*args, **kwargs)

    return wait


async def _begin_and_wait(
    provider: Provider, original: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    # All of it when it is first awaited: that is when the client reads its arguments, and in whose task. A coroutine
    # of the client's made earlier would complain when ours is cancelled before it starts.
    call = begin(provider, args[0], args[1:], kwargs)
    if call is None:
        with passing():
            return await original(*args, **kwargs)
    return await _wait(call, original, *call.arguments(args, kwargs))


async def _wait(
    call: ModelCall, original: Callable[..., Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] = _NOTHING
) -> Any:
    aside.ensure_thread()
    before = call.enter()
    try:
        result = original(*args, **kwargs)
        if inspect.isawaitable(result):
            result = await result
    except GeneratorExit:
        # Thrown in by the garbage collector, perhaps: no place to end a span.
        call.leave(before)
        abandoned.put_aside(call, STREAM_CANCELLED)
        raise
    except BaseException as error:
        call.leave(before)
        call.raised(error)
        raise
    call.leave(before)
    return _take(call, result)


def _take(call: ModelCall, result: Any) -> Any:
    try:
        return streams.take(call, result)
    except Exception as error:  # noqa: BLE001 - a result that we cannot watch is still the program's result
        call.returned(None)
        _guard.failed("watching a result", error)
        return result
