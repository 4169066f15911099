"""The drivers, one for each kind of function: they run it, step by step where it has steps, and tell :mod:`run`.

What takes the place of a function is a plain function of the same kind: it is pickled, bound and inspected like it.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any

from sentrial._decorated.own_context import OwnContext
from sentrial._decorated.run import Decoration, Run, begin, begin_apart

Start = Callable[[Sequence[Any], Mapping[str, Any]], "tuple[Run, OwnContext] | tuple[None, None]"]
"""Begins the run of a body that has steps, when the first one is taken."""


def wrap(function: Callable[..., Any], decoration: Decoration) -> Callable[..., Any]:
    """``function``, each call of which runs inside the event that ``decoration`` opens for it."""
    start = functools.partial(begin_apart, decoration)
    wrapper: Callable[..., Any]
    if inspect.iscoroutinefunction(function):
        wrapper = _build_coroutine_function(function, decoration)
    elif inspect.isasyncgenfunction(function):
        wrapper = _build_async_generator_function(function, start)
    elif inspect.isgeneratorfunction(function):
        wrapper = _build_generator_function(function, start)
        if getattr(function, "__code__", wrapper.__code__).co_flags & inspect.CO_ITERABLE_COROUTINE:
            wrapper = types.coroutine(wrapper)
    else:
        wrapper = _build_function(function, decoration)
    return functools.update_wrapper(wrapper, function)


# --- functions and coroutines --------------------------------------------------------------------------------------


def _build_function(function: Callable[..., Any], decoration: Decoration) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        run = begin(decoration, args, kwargs)
        if run is None:
            return function(*args, **kwargs)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            run.raised(error)
            raise
        if type(result) in _LATER and sys.getrefcount(result) <= _ONE_HOLDER and not _has_begun(result):
            return _follow(run, result)
        run.returned(result)
        return result

    return call


def _build_coroutine_function(function: Callable[..., Any], decoration: Decoration) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        run = begin(decoration, args, kwargs)
        if run is None:
            return await function(*args, **kwargs)
        try:
            result = await function(*args, **kwargs)
        except GeneratorExit as error:
            run.dropped(error)
            raise
        except BaseException as error:
            run.raised(error)
            raise
        run.returned(result)
        return result

    return call


# --- generators ----------------------------------------------------------------------------------------------------
#
# What is thrown in goes on into the body, and only after its ``except`` clause is left: the body must not find an
# exception being handled that it knows nothing of. A local variable that still held it would keep its frames alive.


def _build_generator_function(function: Callable[..., Any], start: Start) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        run, own = start(args, kwargs)
        try:
            body = function(*args, **kwargs)
        except BaseException as error:
            if run is not None:
                run.raised(error)
            raise
        step, given, closing = body.send, None, False
        while True:
            try:
                if run is None or own is None:
                    item = step(given)
                else:
                    own.arrive()
                    try:
                        item = own.run(step, given)
                    finally:
                        own.depart()
            except StopIteration as end:
                if run is not None:
                    run.drained(end.value, closing=closing)
                return end.value
            except BaseException as error:
                given = None
                if run is not None:
                    run.broke(error, closing=closing)
                raise
            if run is not None:
                run.item(item)
            try:
                given = yield item
                step = body.send
            except BaseException as error:  # noqa: BLE001 - it goes on into the body
                step, given, closing = body.throw, error, isinstance(error, GeneratorExit)
            item = None

    return call


def _build_async_generator_function(function: Callable[..., Any], start: Start) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        run, own = start(args, kwargs)
        try:
            body = function(*args, **kwargs)
        except BaseException as error:
            if run is not None:
                run.raised(error)
            raise
        step, given, closing = _unheard(body), None, False
        while True:
            try:
                item = await (step(given) if own is None else _inside(own, step(given)))
            except StopAsyncIteration:
                if run is not None:
                    run.drained(None, closing=closing)
                return
            except BaseException as error:
                given = None
                if run is not None:
                    run.broke(error, closing=closing)
                raise
            if run is not None:
                run.item(item)
            try:
                given = yield item
                step = body.asend
            except BaseException as error:  # noqa: BLE001 - it goes on into the body
                step, given, closing = body.athrow, error, isinstance(error, GeneratorExit)
            item = None

    return call


def _unheard(body: AsyncGenerator[Any, Any]) -> Callable[[Any], Awaitable[Any]]:
    """The first step of ``body``, of which the event loop does not hear.

    It closes what it knows of when it shuts down, all at the same time; it knows of the generator around this one.
    """

    def step(given: Any) -> Awaitable[Any]:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=None)
        try:
            return body.asend(given)
        finally:
            sys.set_asyncgen_hooks(firstiter=hooks.firstiter)

    return step


@types.coroutine
def _inside(own: OwnContext, awaitable: Any) -> Generator[Any, Any, Any]:
    """Await ``awaitable``, a coroutine or a step of an asynchronous generator, in the body's own context."""
    step, given = awaitable.send, None
    while True:
        own.arrive()
        try:
            wanted = own.run(step, given)
        except StopIteration as end:
            return end.value
        except BaseException:
            given = None
            raise
        finally:
            own.depart()
        try:
            given = yield wanted
            step = awaitable.send
        except BaseException as error:  # noqa: BLE001 - it goes on into the body
            step, given = awaitable.throw, error


# --- what a plain function leaves to be run --------------------------------------------------------------------------

_LATER = (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)


def _count_holders() -> int:
    held = object()
    return sys.getrefcount(held)


_ONE_HOLDER = _count_holders()
"""What ``sys.getrefcount`` says of an object that one local variable holds."""


def _has_begun(result: Any) -> bool:
    if type(result) is types.CoroutineType:
        return inspect.getcoroutinestate(result) != inspect.CORO_CREATED
    if type(result) is types.GeneratorType:
        return inspect.getgeneratorstate(result) != inspect.GEN_CREATED or inspect.isawaitable(result)
    return False  # a function that does not wait cannot have begun an asynchronous one


def _follow(run: Run, result: Any) -> Any:
    """The coroutine or generator that a plain function made, and nobody else holds, as part of the call.

    A function that passes on what another decorator or a partial made of an ``async def`` is no other than that.
    """
    own = run.apart()
    if own is None:
        return result

    def begun(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Run, OwnContext]:
        return run, own

    later: Any
    if type(result) is types.CoroutineType:
        later = _wait(run, own, result)
    else:
        is_async = type(result) is types.AsyncGeneratorType
        build = _build_async_generator_function if is_async else _build_generator_function
        later = build(lambda: result, begun)()
    later.__name__, later.__qualname__ = result.__name__, result.__qualname__
    return later


async def _wait(run: Run, own: OwnContext, coroutine: Any) -> Any:
    try:
        result = await _inside(own, coroutine)
    except GeneratorExit as error:
        run.dropped(error)
        raise
    except BaseException as error:
        run.raised(error)
        raise
    run.returned(result)
    return result
