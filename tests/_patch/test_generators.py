"""Streams that are plain generators: they end as they would without us, and their span ends once."""

from __future__ import annotations

import asyncio
import inspect
import types
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from own_client import describe
from recorder import Recorder
from recorder.garbage import collect
from recorder.reading import said, settle
from sentrial._patch.switch import Switch
from sentrial._patch.wrapper import build_wrapper

closed: list[str] = []


def ask(self: Any, model: str, *, stream: bool) -> Iterator[str]:
    try:
        for text in ("one ", "two ", "three"):
            got = yield text
            if got is not None:
                yield got
        if model == "breaks":
            raise ConnectionError("cut")
    finally:
        closed.append(model)


async def ask_async(self: Any, model: str, *, stream: bool) -> AsyncIterator[str]:
    async def pieces() -> AsyncIterator[str]:
        try:
            for text in ("one ", "two ", "three"):
                await asyncio.sleep(0)
                got = yield text
                if got is not None:
                    yield got
            if model == "breaks":
                raise ConnectionError("cut")
        finally:
            closed.append(model)

    return pieces()


def client(function: Any) -> Any:
    switch = Switch()
    switch.on = True
    closed.clear()
    return type("Chat", (), {"ask": build_wrapper(describe(), function, switch)})()


def stream(model: str = "m") -> Any:
    return client(ask).ask(model, stream=True)


async def async_stream(model: str = "m") -> Any:
    return await client(ask_async).ask(model, stream=True)


def ended(recorder: Recorder) -> tuple[Any, ...]:
    return recorder.attributes["sentrial.stream.end"], recorder.one.status.status_code, said(recorder)


def test_it_is_a_generator_still(recorder: Recorder) -> None:
    found = stream()
    assert isinstance(found, types.GeneratorType)
    assert inspect.isgenerator(found)
    assert inspect.getgeneratorstate(found) == "GEN_CREATED"
    assert iter(found) is found
    assert list(found) == ["one ", "two ", "three"]


def test_drained(recorder: Recorder) -> None:
    found = stream()
    for _ in found:
        assert not trace.get_current_span().get_span_context().is_valid
    assert ended(recorder) == ("drained", StatusCode.UNSET, "one two three")
    assert list(found) == []
    found.close()
    assert recorder.started == 1


def test_closed(recorder: Recorder) -> None:
    found = stream()
    next(found)
    found.close()
    assert closed == ["m"]
    assert ended(recorder) == ("closed", StatusCode.UNSET, "one ")


def test_closed_when_it_was_whole(recorder: Recorder) -> None:
    def ask_whole(self: Any, model: str, *, stream: bool) -> Iterator[str]:
        yield "all "
        yield "end"

    found = client(ask_whole).ask("m", stream=True)
    assert [next(found), next(found)] == ["all ", "end"]
    found.close()
    assert ended(recorder) == ("drained", StatusCode.UNSET, "all end")


def test_broken_out_of_and_collected(recorder: Recorder) -> None:
    for _ in stream():
        break
    collect()
    assert closed == ["m"]
    asyncio.run(settle())
    assert ended(recorder) == ("abandoned", StatusCode.UNSET, "one ")


def test_an_exception_is_the_programs_own(recorder: Recorder) -> None:
    with pytest.raises(ConnectionError, match="cut"):
        list(stream("breaks"))
    assert ended(recorder) == ("error", StatusCode.ERROR, "one two three")


def test_what_is_sent_and_thrown_arrives(recorder: Recorder) -> None:
    found = stream()
    next(found)
    assert found.send("sent") == "sent"
    error = LookupError("thrown")
    with pytest.raises(LookupError) as raised:
        found.throw(error)
    assert raised.value is error
    assert ended(recorder) == ("error", StatusCode.ERROR, "one sent")


def test_an_exit_that_is_thrown_is_no_failure(recorder: Recorder) -> None:
    found = stream()
    next(found)
    with pytest.raises(GeneratorExit):
        found.throw(GeneratorExit())
    assert closed == ["m"]
    assert ended(recorder) == ("cancelled", StatusCode.UNSET, "one ")


def test_a_generator_around_it_hands_everything_on(recorder: Recorder) -> None:
    def around() -> Iterator[str]:
        yield from stream()

    found = around()
    assert next(found) == "one "
    found.close()
    assert ended(recorder) == ("closed", StatusCode.UNSET, "one ")


async def test_async_drained(recorder: Recorder) -> None:
    found = await async_stream()
    assert isinstance(found, types.AsyncGeneratorType)
    assert [text async for text in found] == ["one ", "two ", "three"]
    assert ended(recorder) == ("drained", StatusCode.UNSET, "one two three")


async def test_async_closed(recorder: Recorder) -> None:
    found = await async_stream()
    await found.__anext__()
    await found.aclose()
    assert closed == ["m"]
    assert ended(recorder) == ("closed", StatusCode.UNSET, "one ")


async def test_async_broken_out_of_and_collected(recorder: Recorder) -> None:
    async for _ in await async_stream():
        break
    await settle()
    assert closed == ["m"]
    assert ended(recorder) == ("abandoned", StatusCode.UNSET, "one ")


async def test_an_async_exception_is_the_programs_own(recorder: Recorder) -> None:
    with pytest.raises(ConnectionError, match="cut"):
        [text async for text in await async_stream("breaks")]
    assert ended(recorder) == ("error", StatusCode.ERROR, "one two three")


async def test_what_is_sent_and_thrown_arrives_in_the_loop(recorder: Recorder) -> None:
    found = await async_stream()
    await found.__anext__()
    assert await found.asend("sent") == "sent"
    with pytest.raises(LookupError, match="thrown"):
        await found.athrow(LookupError("thrown"))
    assert ended(recorder) == ("error", StatusCode.ERROR, "one sent")


async def test_a_task_that_is_cancelled_while_it_waits(recorder: Recorder) -> None:
    found = await async_stream()
    await found.__anext__()
    task = asyncio.ensure_future(found.__anext__())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == ["m"]
    assert ended(recorder) == ("cancelled", StatusCode.UNSET, "one ")
