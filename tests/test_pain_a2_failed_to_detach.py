"""Pain A2: "Failed to detach context", wherever a generator is left elsewhere than it was entered. Here nobody says it.

Decorated generators and the streams of patched clients have tests of their own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator

import pytest
from opentelemetry import trace

import sentrial
from receivers import SentrialStandIn
from running import Span, arrived, is_current
from sentrial import Interaction

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        sentrial.configure(api_key=KEY, api_url=stand_in.url, flush_interval=0.01)
        yield stand_in
        sentrial.shutdown()


@pytest.fixture(autouse=True)
def no_words_of_opentelemetry(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing at WARNING or above from its contexts, in any of these tests."""
    with caplog.at_level(logging.WARNING, logger="opentelemetry.context"):
        yield
    said = [record for record in caplog.get_records("call") if record.name.startswith("opentelemetry.context")]
    assert [record.getMessage() for record in said] == []


async def with_a_session() -> AsyncGenerator[int, None]:
    with sentrial.begin("u", "agent"):
        for number in range(100):
            yield number


async def with_a_tool() -> AsyncGenerator[int, None]:
    session = sentrial.begin("u", "agent")
    try:
        async with session.tool("search"):
            for number in range(100):
                yield number
    finally:
        session.finish()


async def with_all() -> AsyncGenerator[int, None]:
    async with sentrial.begin("u", "agent") as session, session.tool("search"), session.llm("m", provider="openai"):
        for number in range(100):
            yield number


KINDS = {
    with_a_session: {"invoke_agent agent"},
    with_a_tool: {"invoke_agent agent", "execute_tool search"},
    with_all: {"invoke_agent agent", "execute_tool search", "chat m"},
}


def name_of(kind: object) -> str:
    return getattr(kind, "__name__", "")


def current() -> tuple[trace.Span, bool]:
    """The current span, and whether no session is current."""
    return trace.get_current_span(), is_current(None)


Make = Callable[[], AsyncGenerator[int, None]]


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
async def test_entered_in_one_task_and_closed_in_another(server: SentrialStandIn, kind: Make) -> None:
    stream = kind()

    async def enter() -> int:
        return await anext(stream)

    async def close() -> tuple[tuple[trace.Span, bool], tuple[trace.Span, bool]]:
        before = current()
        await stream.aclose()
        return before, current()

    before = current()
    assert await asyncio.create_task(enter()) == 0
    assert current() == before
    in_the_other = await asyncio.create_task(close())
    assert in_the_other == (before, before)
    assert current() == before
    spans = arrived(server)
    assert set(spans) == KINDS[kind]
    assert_cancelled(spans)


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
async def test_a_consumer_that_is_cancelled(server: SentrialStandIn, kind: Make) -> None:
    """As a web framework streams: a task pulls, the client goes away, and another task closes the generator."""
    pulled = asyncio.Event()
    seen: list[tuple[trace.Span, bool]] = []

    async def stream_response(body: AsyncGenerator[int, None]) -> None:
        seen.append(current())
        async for number in body:
            if number == 3:
                pulled.set()
                await asyncio.Event().wait()

    async def listen_for_disconnect(response: asyncio.Task[None]) -> None:
        await pulled.wait()
        response.cancel()

    before = current()
    body = kind()
    response = asyncio.create_task(stream_response(body))
    await asyncio.gather(response, listen_for_disconnect(response), return_exceptions=True)
    assert response.cancelled()
    assert current() == before
    await body.aclose()
    assert [*seen, current()] == [before, before]
    spans = arrived(server)
    assert set(spans) == KINDS[kind]
    assert_cancelled(spans)


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
async def test_a_generator_that_is_dropped_is_closed_by_the_event_loop(server: SentrialStandIn, kind: Make) -> None:
    body = kind()

    async def pull() -> None:
        nonlocal body
        await anext(body)
        del body

    before = current()
    await asyncio.create_task(pull())
    await asyncio.sleep(0)  # the loop makes a task of the closing
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
    assert current() == before
    spans = arrived(server)
    assert set(spans) == KINDS[kind]
    assert_cancelled(spans)


def assert_cancelled(spans: dict[str, Span]) -> None:
    """The session has ended, cancelled or (where its generator finishes it itself) completed; no span has failed."""
    assert spans["invoke_agent agent"]["attributes"]["sentrial.session.outcome"] in ("cancelled", "completed")
    assert {span["status_code"] for span in spans.values()} == {0}
    assert all(span["events"] == [] for span in spans.values())


async def test_a_helper_of_the_sessions_that_is_left_in_another_task(server: SentrialStandIn) -> None:
    session = sentrial.begin("u", "agent")
    before = current()
    tool = session.tool("search")

    async def enter() -> None:
        await tool.__aenter__()

    async def leave(of: Interaction) -> None:
        await tool.__aexit__(None, None, None)
        of.finish()

    await asyncio.create_task(enter())
    assert current() == before
    await asyncio.create_task(leave(session))
    assert is_current(None)
    sentrial.begin("u", "next").finish()
    assert not trace.get_current_span().get_span_context().is_valid
    assert set(arrived(server)) == {"invoke_agent agent", "execute_tool search", "invoke_agent next"}
