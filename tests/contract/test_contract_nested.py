"""What holds of a call inside another one's helper, of every patched client: a span each, and each in its own place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import context as otel_context

import sentrial
from adapters import HELPED_ADAPTERS, RUNNING_ADAPTERS, Adapter
from fake_provider import FakeProvider
from recorder import Recorder
from recorder.fixtures import record_with
from recorder.reading import said


@pytest.fixture
def outside(recorder: Recorder) -> Iterator[None]:
    """A span of the program's own, current in all of the test."""
    with recorder.provider.get_tracer("test").start_as_current_span("outside"):
        yield


def tree_of(recorder: Recorder) -> list[tuple[str, str]]:
    """Name and parent's name of each span that has ended, in the order of their beginning."""
    names = {span.get_span_context().span_id: span.name for span in recorder.spans}
    ordered = sorted(recorder.spans, key=lambda span: span.start_time or 0)
    return [(span.name, names.get(span.parent.span_id, "outside") if span.parent else "") for span in ordered]


async def test_a_call_in_an_open_helper_is_a_span_beside_it(client: Adapter, recorder: Recorder, outside: None) -> None:
    operation, before = client.api.operation, otel_context.get_current()
    async with client.helped_stream(model="around") as stream:
        await client.next(stream)
        assert client.api.text_of(await client.create(model="inside")) == client.api.text
        assert otel_context.get_current() is before
        await client.drain(stream)
    assert tree_of(recorder) == [(f"{operation} around", "outside"), (f"{operation} inside", "outside")]
    assert [said(recorder, span) for span in recorder.spans] == [client.api.text] * 2


async def test_a_call_in_a_span_of_the_programs_in_an_open_helper_is_below_that_span(
    client: Adapter, recorder: Recorder, outside: None
) -> None:
    operation = client.api.operation
    async with client.helped_stream(model="around") as stream:
        await client.next(stream)
        with recorder.provider.get_tracer("test").start_as_current_span("between"):
            await client.create(model="inside")
            await client.drain(stream)
    assert tree_of(recorder) == [
        (f"{operation} around", "outside"),
        ("between", "outside"),
        (f"{operation} inside", "between"),
    ]


@pytest.mark.parametrize("inner_first", [True, False])
async def test_a_helper_in_an_open_helper_is_a_span_beside_it(
    client: Adapter, recorder: Recorder, outside: None, inner_first: bool
) -> None:
    operation, before = client.api.operation, otel_context.get_current()
    async with client.helped_stream(model="around") as around:
        await client.next(around)
        async with client.helped_stream(model="inside") as inside:
            await client.next(inside)
            for stream in (inside, around) if inner_first else (around, inside):
                await client.drain(stream)
    assert otel_context.get_current() is before
    assert tree_of(recorder) == [(f"{operation} around", "outside"), (f"{operation} inside", "outside")]
    assert [said(recorder, span) for span in recorder.spans] == [client.api.text] * 2
    assert {(span.attributes or {})["sentrial.stream.end"] for span in recorder.spans} == {"drained"}


@pytest.mark.parametrize("client", HELPED_ADAPTERS, ids=lambda adapter: adapter.name, indirect=True)
async def test_a_helper_of_the_whole_call_in_an_open_helper_is_a_span_beside_it(
    client: Adapter, recorder: Recorder, outside: None
) -> None:
    operation = client.api.operation
    async with client.helped_stream(model="around") as stream:
        await client.next(stream)
        await client.helped_call(model="inside")
        await client.drain(stream)
    assert tree_of(recorder) == [(f"{operation} around", "outside"), (f"{operation} inside", "outside")]


@pytest.mark.parametrize("client", RUNNING_ADAPTERS, ids=lambda adapter: adapter.name, indirect=True)
async def test_a_call_in_a_tool_that_a_helper_runs_is_below_the_tool(
    client: Adapter, server: FakeProvider, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, api = client.api.operation, client.api
    sentrial.configure(store=False)
    record_with(recorder, monkeypatch)
    server.queue(api.tools())
    with sentrial.begin("user_1", "agent"):
        assert api.text_of(await client.run_tools()) == api.text
    agent, turn = "invoke_agent agent", f"{operation} {api.model}"
    first, *others = [f"execute_tool {name}" for name, _ in api.tool_calls]
    others_below = [(name, agent) for name in others]
    inside = [(first, agent), (f"{operation} inside", first)]
    assert tree_of(recorder) == [(agent, ""), (turn, agent), *inside, *others_below, (turn, agent)]
