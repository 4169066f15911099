"""The drivers, around functions of every kind."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from own_client import describe
from recorder import Recorder
from recorder.garbage import collect
from sentrial._patch.switch import Switch
from sentrial._patch.wrapper import build_wrapper
from sentrial._spans import aside

PROVIDER = describe()


def patched(function: Callable[..., Any]) -> Any:
    """An object whose method ``ask`` is ``function``, patched."""
    switch = Switch()
    switch.on = True
    return type("Chat", (), {"ask": build_wrapper(PROVIDER, function, switch), "switch": switch})()


def looks_synchronous(function: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


async def ask(self: Any, *, model: str) -> str:
    await asyncio.sleep(0)
    return model.upper()


def ask_now(self: Any, *, model: str) -> str:
    return model.upper()


def ask_later(self: Any, *, model: str) -> Awaitable[str]:
    return ask(self, model=model)


@pytest.mark.parametrize("function", [ask, looks_synchronous(ask), ask_later], ids=["async", "wrapped", "disguised"])
async def test_whatever_is_awaited_is_recorded(function: Any, recorder: Recorder) -> None:
    chat = patched(function)
    coroutine = chat.ask(model="m")
    assert inspect.iscoroutine(coroutine)
    assert await coroutine == "M"
    assert recorder.attributes["gen_ai.response.model"] == "M"


def test_a_plain_function_is_recorded(recorder: Recorder) -> None:
    assert patched(ask_now).ask(model="m") == "M"
    assert recorder.attributes["gen_ai.response.model"] == "M"


@pytest.mark.parametrize("function", [ask, ask_now, looks_synchronous(ask), ask_later])
def test_the_wrapper_is_of_the_kind_of_the_original(function: Any) -> None:
    wrapper = type(patched(function)).ask
    assert inspect.iscoroutinefunction(wrapper) == inspect.iscoroutinefunction(function)
    assert inspect.signature(wrapper) == inspect.signature(function)


@pytest.mark.parametrize("function", [ask_now, looks_synchronous(ask)])
async def test_wrong_arguments_are_complained_of_in_the_clients_words(function: Any, recorder: Recorder) -> None:
    chat = patched(function)
    with pytest.raises(TypeError, match="unexpected keyword argument 'modle'"):
        await chat.ask(modle="m")
    assert recorder.attributes["error.type"] == "TypeError"
    with pytest.raises(TypeError, match="positional argument"):
        type(chat).ask()


async def test_a_method_that_is_switched_off_records_nothing(recorder: Recorder) -> None:
    for function in (ask, ask_now):
        chat = patched(function)
        chat.switch.on = False
        answer = chat.ask(model="m")
        assert (await answer if inspect.isawaitable(answer) else answer) == "M"
    assert recorder.started == 0


async def test_a_coroutine_that_is_never_awaited_is_complained_of_by_its_own_name(recorder: Recorder) -> None:
    chat = patched(looks_synchronous(ask))
    # The last reference goes with the call: the complaint comes at once.
    with pytest.warns(RuntimeWarning, match="coroutine 'ask' was never awaited") as warned:
        chat.ask(model="m")
    assert len(warned) == 1
    assert recorder.started == 0


async def test_a_call_cancelled_before_it_starts_leaves_no_complaint(recorder: Recorder) -> None:
    task = asyncio.create_task(patched(looks_synchronous(ask)).ask(model="m"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    collect()
    assert recorder.started == 0


async def test_a_coroutine_that_is_closed_midway_is_cancelled_and_ended_elsewhere(recorder: Recorder) -> None:
    coroutine = patched(looks_synchronous(ask)).ask(model="m")
    coroutine.send(None)
    assert recorder.started == 1
    coroutine.close()
    assert aside.settle(30)
    assert recorder.attributes["sentrial.stream.end"] == "cancelled"
    assert recorder.one.status.status_code is StatusCode.UNSET


async def test_it_is_ended_though_nobody_asks_for_it(recorder: Recorder) -> None:
    aside.stop()
    coroutine = patched(looks_synchronous(ask)).ask(model="m")
    coroutine.send(None)
    coroutine.close()
    until = time.monotonic() + 30
    while not recorder.spans and time.monotonic() < until:
        time.sleep(0.01)
    assert recorder.attributes["sentrial.stream.end"] == "cancelled"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
async def test_what_is_under_way_in_a_fork_is_the_parents_to_end(recorder: Recorder) -> None:
    coroutine = patched(looks_synchronous(ask)).ask(model="m")
    coroutine.send(None)
    child = os.fork()
    if child == 0:
        try:
            coroutine.close()
            assert aside.settle(30)
            os._exit(len(recorder.spans))
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    coroutine.close()
    assert aside.settle(30)
    assert len(recorder.spans) == 1


def test_an_exit_of_the_program_passes_through(recorder: Recorder) -> None:
    def leave(self: Any, *, model: str) -> str:
        raise SystemExit(3)

    with pytest.raises(SystemExit) as raised:
        patched(leave).ask(model="m")
    assert raised.value.code == 3
    assert len(recorder.spans) == 1


def test_the_programs_exception_is_the_very_same(recorder: Recorder) -> None:
    error = ValueError("theirs")
    cause = KeyError("cause")

    def fail(self: Any, *, model: str) -> str:
        raise error from cause

    with pytest.raises(ValueError, match="theirs") as raised:
        patched(fail).ask(model="m")
    assert raised.value is error
    assert (error.__cause__, error.__context__) == (cause, None)
    assert recorder.attributes["error.type"] == "ValueError"


def test_a_call_inside_a_call_is_told_by_the_outer_one(recorder: Recorder) -> None:
    inner = patched(ask_now)

    def outer(self: Any, *, model: str) -> str:
        answer: str = inner.ask(model="inner")
        return answer

    assert patched(outer).ask(model="outer") == "INNER"
    assert recorder.one.name == "chat outer"
    assert inner.ask(model="alone") == "ALONE"
    assert [span.name for span in recorder.spans] == ["chat outer", "chat alone"]


async def test_an_async_call_inside_a_call_is_told_by_the_outer_one(recorder: Recorder) -> None:
    inner = patched(ask)
    left: list[asyncio.Task[str]] = []

    async def outer(self: Any, *, model: str) -> str:
        # A task that the client leaves behind belongs to the call only as long as that lasts.
        left.append(asyncio.create_task(later(inner)))
        answer: str = await inner.ask(model="inner")
        return answer

    async def later(chat: Any) -> str:
        await ended.wait()
        answer: str = await chat.ask(model="later")
        return answer

    ended = asyncio.Event()
    assert await patched(outer).ask(model="outer") == "INNER"
    assert recorder.one.name == "chat outer"
    ended.set()
    assert await left[0] == "LATER"
    assert [span.name for span in recorder.spans] == ["chat outer", "chat later"]
