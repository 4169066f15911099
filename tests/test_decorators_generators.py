"""Decorated generators, plain and asynchronous: what is current when, and what is kept of what they yield."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace

import sentrial
from decorated import outcome_of, result_of, said_in
from receivers import SentrialStandIn
from running import arrived, session_of
from sentrial._decorated import yielded
from sentrial.decorators import session, tool

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


def mark(name: str) -> None:
    """What any instrumentation does: a span in whatever is current."""
    trace.get_tracer("third.party").start_span(name).end()


@session("streaming")
def stream(user_id: str, message: str, pieces: int = 3) -> Iterator[str]:
    for n in range(pieces):
        mark(f"body {n}")
        yield f"{message}{n} "


@session("streaming")
async def stream_async(user_id: str, message: str, pieces: int = 3) -> AsyncIterator[str]:
    for n in range(pieces):
        await asyncio.sleep(0)
        mark(f"body {n}")
        yield f"{message}{n} "


# Ways to consume a stream of either kind.


def drain(items: Iterator[str]) -> None:
    for n, _ in enumerate(items):
        mark(f"consumer {n}")


async def drain_async(items: AsyncIterator[str]) -> None:
    n = 0
    async for _ in items:
        mark(f"consumer {n}")
        n += 1


def both(consume: Callable[[Any], None], consume_async: Callable[[Any], Any]) -> list[Callable[[], None]]:
    async def run() -> None:
        await consume_async(stream_async("u", "hi"))
        for _ in range(3):
            await asyncio.sleep(0)  # the event loop closes in a task of its own what was dropped

    return [lambda: consume(stream("u", "hi")), lambda: asyncio.run(run())]


@pytest.mark.parametrize("consume", both(drain, drain_async), ids=["sync", "async"])
def test_defect_12_a_generator_is_in_its_session_and_its_consumer_is_not(
    server: SentrialStandIn, consume: Callable[[], None]
) -> None:
    consume()
    spans = arrived(server)
    root = spans["invoke_agent streaming"]
    assert outcome_of(root) == ("completed", "drained", 0)
    assert root["attributes"]["user.id"] == "u"
    assert said_in(root, "input") == ("user", "hi")
    assert said_in(root, "output") == ("assistant", "hi0 hi1 hi2 ")
    for n in range(3):
        assert spans[f"body {n}"]["parent_span_id"] == root["span_id"]
    # Spans of nobody's session do not go to Sentrial at all.
    assert set(spans) == {"invoke_agent streaming", "body 0", "body 1", "body 2"}


def test_pain_a3_what_each_kind_of_function_starts_nests_in_it_and_what_its_caller_starts_does_not(
    server: SentrialStandIn,
) -> None:
    @tool("plain")
    def plain() -> str:
        mark("in plain")
        return "ab"

    @tool("coroutine")
    async def coroutine() -> str:
        await asyncio.sleep(0)
        mark("in coroutine")
        return "ab"

    @tool("generator")
    def generator() -> Iterator[str]:
        for text in "ab":
            mark(f"in generator {text}")
            yield text

    @tool("async generator")
    async def async_generator() -> AsyncIterator[str]:
        for text in "ab":
            await asyncio.sleep(0)
            mark(f"in async generator {text}")
            yield text

    async def run() -> None:
        with sentrial.begin("u", "agent"):
            plain()
            mark("beside plain")
            await coroutine()
            mark("beside coroutine")
            for text in generator():
                mark(f"beside generator {text}")
            async for text in async_generator():
                mark(f"beside async generator {text}")

    asyncio.run(run())
    spans = arrived(server)
    tools = {name: spans[f"execute_tool {name}"] for name in ("plain", "coroutine", "generator", "async generator")}
    root = spans["invoke_agent agent"]
    for name, call in tools.items():
        inside = [span for key, span in spans.items() if key.startswith(f"in {name}")]
        beside = [span for key, span in spans.items() if key.startswith(f"beside {name}")]
        assert len(inside) == len(beside) == (2 if "generator" in name else 1)
        assert {span["parent_span_id"] for span in inside} == {call["span_id"]}
        assert {span["parent_span_id"] for span in beside} == {root["span_id"]}
        assert result_of(call) == {"result": "ab"}


def test_the_output_of_a_generator_is_what_it_yielded(server: SentrialStandIn) -> None:
    row = {"n": 1}

    @tool("rows")
    def rows() -> Iterator[dict[str, int]]:
        yield row
        row["n"] = 2
        yield row

    @tool("bytes")
    def chunks() -> Iterator[bytes]:
        yield b"data: a\n"
        yield b"data: b\n"

    @tool("mixed")
    def mixed() -> Iterator[Any]:
        yield "a"
        yield 1

    @tool("silent")
    def silent() -> Iterator[Any]:
        yield from ()
        return "what it returns"

    @tool("empty")
    def empty() -> Iterator[Any]:
        yield from ()

    with sentrial.begin("u", "agent"):
        for function in (rows, chunks, mixed, silent, empty):
            list(function())
    spans = arrived(server)
    assert {
        name: result_of(span) for name, span in spans.items() if "gen_ai.tool.call.result" in span["attributes"]
    } == {
        "execute_tool rows": {"result": [{"n": 1}, {"n": 2}]},
        "execute_tool bytes": {"result": "data: a\ndata: b\n"},
        "execute_tool mixed": {"result": ["a", 1]},
        "execute_tool silent": {"result": "what it returns"},
    }


def test_of_a_long_stream_the_beginning_is_kept_and_the_cut_is_said(
    server: SentrialStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yielded, "MAX_CHARACTERS", 10)
    monkeypatch.setattr(yielded, "MAX_ITEMS", 3)

    @tool("texts")
    def texts() -> Iterator[str]:
        yield from ["12345678", "abcd", "left out", "too"]

    @tool("numbers")
    def numbers() -> Iterator[int]:
        yield from range(10)

    with sentrial.begin("u", "agent"):
        assert len(list(texts())) == 4
        assert list(numbers()) == list(range(10))
    spans = arrived(server)
    assert result_of(spans["execute_tool texts"]) == {"result": "12345678abcd[2 items left out]"}
    assert spans["execute_tool texts"]["attributes"]["sentrial.truncated"] == "left out: 2 items"
    assert result_of(spans["execute_tool numbers"]) == {"result": [0, 1, 2, "[7 items left out]"]}


def test_a_generator_that_a_plain_function_makes_is_part_of_its_call(server: SentrialStandIn) -> None:
    def pieces() -> Iterator[str]:
        mark("inside")
        yield "a"
        yield "b"

    shared = pieces()

    @session("passing on")
    def passing_on(user_id: str) -> Any:
        return pieces()

    @session("sharing")
    def sharing(user_id: str) -> Any:
        return shared

    assert "".join(passing_on("u")) == "ab"
    assert sharing("u") is shared
    spans = arrived(server)
    root = spans["invoke_agent passing on"]
    assert outcome_of(root) == ("completed", "drained", 0)
    assert said_in(root, "output") == ("assistant", "ab")
    assert spans["inside"]["parent_span_id"] == root["span_id"]
    assert session_of(spans["inside"]) == session_of(root)
