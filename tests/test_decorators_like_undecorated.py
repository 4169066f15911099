"""A decorated generator does what the undecorated one does, whatever is done to it, and in whichever context."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import sys
import types
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextvars import ContextVar, Token
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import sentrial
from drawn import drawn
from sentrial import _session
from sentrial.decorators import decision, session, tool

VARIABLE: ContextVar[object] = ContextVar("variable")

DECORATORS: dict[str, Callable[[Any], Any]] = {
    "tool": tool,
    "decision": decision,
    "session": session,
    "tool in an agent": lambda function: session(tool(function)),
}

# What a body does when it goes on after a ``yield``, by what has come in.
REACTIONS = ("pass on", "swallow", "return", "raise", "stop", "set", "reset")
# What a consumer does.
ACTIONS = (
    "next", "next", "next", "send", "throw", "throw exit", "throw stop", "close", "cancel", "set", "collect"
)  # fmt: skip

scripts = st.lists(st.sampled_from(REACTIONS), max_size=5)
actions = st.lists(st.sampled_from(ACTIONS), max_size=8)


class ThrownError(Exception):
    """What the consumer throws in."""


class Body:
    """What both kinds of body do, and what they see."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.over = False
        self._token: Token[object] | None = None

    def look(self) -> None:
        self.seen.append(("handling", type(sys.exc_info()[1]).__name__, VARIABLE.get("unset")))

    def react(self, reaction: str, step: int, error: BaseException | None) -> bool:
        """What to do now; whether to go on."""
        if self.over and error is not None:
            raise error
        self.look()
        if reaction == "set":
            self._token = VARIABLE.set(f"body {step}")
        elif reaction == "reset" and self._token is not None:
            with contextlib.suppress(ValueError):
                VARIABLE.reset(self._token)
            self._token = None
        elif reaction == "raise":
            raise KeyError(step)
        elif reaction == "stop":
            raise StopIteration(step)
        elif reaction == "pass on" and error is not None:
            raise error
        return reaction != "return"


def generator(script: list[str], body: Body) -> Generator[object, object, object]:
    body.look()
    for step, reaction in enumerate(script):
        came: BaseException | None = None
        try:
            body.seen.append(("sent", (yield step)))
        except BaseException as error:  # noqa: BLE001 - what a body may do
            body.look()
            came = error
        try:
            if not body.react(reaction, step, came):
                return "returned"
        finally:
            came = None
    return "exhausted"


async def async_generator(script: list[str], body: Body) -> AsyncGenerator[object, object]:
    body.look()
    for step, reaction in enumerate(script):
        came: BaseException | None = None
        try:
            await pause(body)
            body.seen.append(("sent", (yield step)))
            await pause(body)
        except BaseException as error:  # noqa: BLE001 - what a body may do
            body.look()
            came = error
        try:
            if not body.react(reaction, step, came):
                return
        finally:
            came = None


@types.coroutine
def pause(body: Body) -> Generator[object, object, None]:
    """What an event loop sees of an ``await``."""
    body.seen.append(("woken with", (yield "pause")))
    body.look()


def told(step: Callable[[], object]) -> tuple[object, ...]:
    """What became of one step."""
    try:
        return ("gave", step())
    except BaseException as error:  # noqa: BLE001 - that is the question
        around, cause = error.__context__, error.__cause__
        return ("raised", type(error).__name__, str(error), type(around).__name__, type(cause).__name__)


def consume(make: Callable[..., Any], script: list[str], todo: list[str]) -> list[object]:
    """All that happens, on both sides."""
    body = Body()
    items = make(script, body)
    happened: list[object] = []
    before = VARIABLE.set("consumer")
    for n, action in enumerate(todo):
        if action == "set":
            VARIABLE.set(f"consumer {n}")
        elif action == "collect":
            gc.collect(0)
        else:
            happened.append((action, told(step_of(items, action, n)), VARIABLE.get("unset")))
        assert _session.current() is OUTER[0]
    # A body that swallows GeneratorExit has to be asked until it has nothing left to do.
    for _ in range(len(script) + 2):
        happened.append(told(items.close))
    VARIABLE.reset(before)
    return [*happened, *body.seen, inspect.getgeneratorstate(items)]


OUTER: list[Any] = [None]


def step_of(items: Any, action: str, n: int) -> Callable[[], object]:
    return {
        "next": lambda: next(items),
        "send": lambda: items.send(n),
        "throw": lambda: items.throw(ThrownError(n)),
        "throw exit": lambda: items.throw(GeneratorExit(n)),
        "throw stop": lambda: items.throw(StopIteration(n)),
        "close": items.close,
        "cancel": lambda: items.throw(asyncio.CancelledError(n)),
    }[action]


def consume_async(make: Callable[..., Any], script: list[str], todo: list[str]) -> list[object]:
    """The same, by hand: no event loop could be asked to do all of this."""
    body = Body()
    items = make(script, body)
    happened: list[object] = []
    before = VARIABLE.set("consumer")
    for n, action in enumerate(todo):
        if action == "set":
            VARIABLE.set(f"consumer {n}")
        elif action != "collect":
            step = functools.partial(wait, items, action, n)
            happened.append((action, told(step), VARIABLE.get("unset")))
            del step
        assert _session.current() is OUTER[0]
    happened.append(told(functools.partial(wait, items, "close", 0)))
    VARIABLE.reset(before)
    # One that has ignored that cannot be asked again: it is left to the garbage collector, at whatever time.
    body.over = True
    return [*happened, *body.seen]


def wait(items: Any, action: str, n: int) -> object:
    awaitable = {
        "next": lambda: items.__anext__(),
        "send": lambda: items.asend(n),
        "throw": lambda: items.athrow(ThrownError(n)),
        "throw exit": lambda: items.athrow(GeneratorExit(n)),
        "throw stop": lambda: items.athrow(StopAsyncIteration(n)),
        "close": lambda: items.aclose(),
        "cancel": lambda: items.asend(None),
    }[action]()
    try:
        paused = awaitable.send(None)
        while True:
            assert paused == "pause"
            if action == "cancel":
                action = ""
                paused = awaitable.throw(asyncio.CancelledError(n))
            else:
                paused = awaitable.send(f"result {n}" if n % 2 else None)
    except StopIteration as end:
        return end.value


@pytest.fixture(autouse=True)
def application(fresh_otel: None) -> None:
    """An application with a pipeline of its own, so that nothing is stored."""
    trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))


@pytest.mark.parametrize("name", DECORATORS)
@pytest.mark.parametrize("inside", [True, False], ids=["in a session", "outside"])
@drawn(150)
@given(script=scripts, todo=actions)
def test_pain_d1_a_decorated_generator_is_no_other(name: str, inside: bool, script: list[str], todo: list[str]) -> None:
    with in_session(inside):
        assert consume(DECORATORS[name](generator), script, todo) == consume(generator, script, todo)


@pytest.mark.parametrize("name", DECORATORS)
@pytest.mark.parametrize("inside", [True, False], ids=["in a session", "outside"])
@drawn(150)
@given(script=scripts, todo=actions)
def test_pain_d1_a_decorated_async_generator_is_no_other(
    name: str, inside: bool, script: list[str], todo: list[str]
) -> None:
    with in_session(inside):
        decorated = consume_async(DECORATORS[name](async_generator), script, todo)
        assert decorated == consume_async(async_generator, script, todo)


@contextlib.contextmanager
def in_session(inside: bool) -> Iterator[None]:
    if not inside:
        OUTER[0] = None
        yield
        return
    with sentrial.begin("u", "around"):
        OUTER[0] = _session.current()
        yield


def test_nothing_that_a_body_raised_or_was_given_is_kept_alive() -> None:
    class Thing:
        pass

    def failing(thing: Thing) -> Iterator[Thing]:
        yield thing
        raise ThrownError

    for function in (failing, tool(failing), session(failing)):
        gc.collect()
        gc.disable()
        try:
            thing = Thing()
            gone = weakref.ref(thing)
            items: Any = function(thing)
            assert next(items) is thing
            with contextlib.suppress(ThrownError):
                next(items)
            items = function(thing)
            next(items)
            with contextlib.suppress(LookupError):
                items.throw(LookupError())
            del thing, items
            assert gone() is None
        finally:
            gc.enable()
