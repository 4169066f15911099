"""What holds of raw responses of every patched client: they behave as ever, and what was read of them is recorded."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from adapters import ResponseAdapter
from fake_provider import FakeProvider
from recorder import Recorder
from recorder.garbage import collect
from recorder.reading import hold, said, settle
from sentrial._patch import install
from sentrial._spans import aside


def assert_complete(http_client: ResponseAdapter, recorder: Recorder, *, stream: bool) -> None:
    """One span, with all that the answer said."""
    attributes, api = recorder.attributes, http_client.api
    assert {key: attributes.get(key) for key in api.response} == api.response
    assert attributes.get("sentrial.stream.end") == ("drained" if stream else None)
    assert ("gen_ai.response.time_to_first_chunk" in attributes) == stream
    assert said(recorder) == api.text
    assert recorder.one.status.status_code is StatusCode.UNSET


def as_dict(raw: Any) -> dict[str, Any]:
    """What a program sees of a raw response."""
    headers = {key: value for key, value in raw.headers.items() if key != "date"}
    return {"type": type(raw), "headers": headers, "status": raw.status_code, "keys": sorted(vars(raw))}


async def body_of(raw: Any) -> Any:
    """The text of a raw response: an attribute of some clients, a method of others, or one to wait for."""
    text = raw.text() if callable(raw.text) else raw.text
    return await text if inspect.isawaitable(text) else text


@pytest.mark.parametrize("parsed", [True, False])
async def test_a_raw_response_is_recorded_whether_it_is_parsed_or_not(
    http_client: ResponseAdapter, recorder: Recorder, parsed: bool
) -> None:
    raw = await http_client.raw()
    assert raw.headers["x-request-id"] == "req_1"
    if parsed:
        assert http_client.api.text_of(await http_client.parse(raw)) == http_client.api.text
        assert await http_client.parse(raw) is await http_client.parse(raw)
    assert_complete(http_client, recorder, stream=False)


async def test_a_raw_response_is_the_clients_own_object(http_client: ResponseAdapter, recorder: Recorder) -> None:
    ours = await http_client.raw()
    parsed = await http_client.parse(ours)
    install.uninstall()
    theirs = await http_client.raw()
    assert as_dict(ours) == as_dict(theirs)
    assert await body_of(ours) == await body_of(theirs)
    assert parsed == await http_client.parse(theirs)
    assert recorder.started == 1


async def test_a_raw_stream_is_recorded_when_its_stream_is_drained(
    http_client: ResponseAdapter, recorder: Recorder
) -> None:
    raw = await http_client.raw(stream=True)
    stream = await http_client.parse(raw)
    assert recorder.spans == []
    assert len(await http_client.drain(stream)) == http_client.api.chunks
    assert_complete(http_client, recorder, stream=True)
    assert await http_client.parse(raw) is stream


async def test_a_raw_stream_that_is_closed_keeps_what_came(
    http_client: ResponseAdapter, server: FakeProvider, recorder: Recorder
) -> None:
    gate = hold(server, http_client, http_client.api.events)
    raw = await http_client.raw(stream=True)
    stream = await http_client.parse(raw)
    for _ in range(http_client.api.steps):
        await http_client.next(stream)
    await http_client.close(stream)
    gate.set()
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert said(recorder) == http_client.api.partial


async def test_a_raw_stream_that_is_let_go_of_is_abandoned(http_client: ResponseAdapter, recorder: Recorder) -> None:
    await http_client.raw(stream=True)
    collect()
    assert aside.settle(30)
    assert recorder.attributes["sentrial.stream.end"] == "abandoned"


async def test_a_refused_raw_call_is_a_failed_span(
    http_client: ResponseAdapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(http_client.api.error(401, "who are you"))
    with pytest.raises(Exception, match="who are you"):
        await http_client.raw()
    assert recorder.attributes["error.type"] == http_client.api.errors[401]


@pytest.mark.parametrize("coding", [None, "gzip"])
@pytest.mark.parametrize("stream", [True, False])
async def test_lines_that_the_program_reads_itself_are_read_by_us_too(
    http_client: ResponseAdapter, server: FakeProvider, recorder: Recorder, stream: bool, coding: str | None
) -> None:
    answer = (http_client.api.stream if stream else http_client.api.plain)(coding=coding)
    server.queue(answer, answer)
    changes = {"stream": True} if stream else {}
    async with http_client.raw_streaming(**changes) as raw:
        seen = as_dict(raw)
        assert recorder.spans == []
        ours = await http_client.lines(raw)
    assert_complete(http_client, recorder, stream=stream)
    install.uninstall()
    async with http_client.raw_streaming(**changes) as raw:
        assert seen == as_dict(raw)
        assert ours == await http_client.lines(raw)
    assert recorder.started == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_a_streaming_response_can_be_parsed(
    http_client: ResponseAdapter, recorder: Recorder, stream: bool
) -> None:
    async with http_client.raw_streaming(**({"stream": True} if stream else {})) as raw:
        parsed = await http_client.parse(raw)
        if stream:
            assert len(await http_client.drain(parsed)) == http_client.api.chunks
        else:
            assert http_client.api.text_of(parsed) == http_client.api.text
    assert_complete(http_client, recorder, stream=stream)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_streaming_response_of_which_only_the_headers_are_read_is_closed(
    http_client: ResponseAdapter, server: FakeProvider, recorder: Recorder, stream: bool
) -> None:
    async with http_client.raw_streaming(**({"stream": True} if stream else {})) as raw:
        assert raw.status_code == 200
        assert recorder.spans == []
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert recorder.output is None
    assert recorder.one.status.status_code is StatusCode.UNSET


async def test_a_body_that_no_one_can_decode_costs_the_program_nothing(
    http_client: ResponseAdapter, server: FakeProvider, recorder: Recorder
) -> None:
    answer = http_client.api.plain(headers={"Content-Encoding": "unheard-of"})
    server.queue(answer)
    async with http_client.raw_streaming() as raw:
        assert "".join(await http_client.lines(raw)).startswith(f'{{"id": "{http_client.api.answer_id}"')
    assert recorder.one.status.status_code is StatusCode.UNSET
    assert recorder.output is None


# --- the bytes below a stream, as a proxy passes them on --------------------------------------------------------------


async def relayed(client: ResponseAdapter, response: Any, how: str) -> list[Any]:
    """What a program reads of the response below a stream, and not of the stream."""
    if client.is_async:
        return [piece async for piece in getattr(response, f"a{how}")()]
    return list(getattr(response, how)())


@pytest.mark.parametrize("how", ["iter_lines", "iter_bytes", "iter_raw"])
@pytest.mark.parametrize("coding", [None, "gzip"])
async def test_a_stream_that_is_passed_on_as_bytes_says_all(
    http_client: ResponseAdapter, server: FakeProvider, recorder: Recorder, how: str, coding: str | None
) -> None:
    server.queue(http_client.api.stream(coding=coding), http_client.api.stream(coding=coding))
    stream = await http_client.stream()
    ours = await relayed(http_client, stream.response, how)
    assert_complete(http_client, recorder, stream=True)
    install.uninstall()
    theirs = await relayed(http_client, (await http_client.stream()).response, how)
    assert (ours if how == "iter_lines" else b"".join(ours)) == (theirs if how == "iter_lines" else b"".join(theirs))
    assert recorder.started == 1


async def test_the_response_of_a_stream_that_nobody_keeps_says_all(
    http_client: ResponseAdapter, recorder: Recorder
) -> None:
    response = (await http_client.stream()).response
    await settle()
    assert recorder.spans == []
    assert await relayed(http_client, response, "iter_lines")
    assert_complete(http_client, recorder, stream=True)


@pytest.mark.parametrize("is_closed", [True, False])
async def test_a_stream_that_is_passed_on_in_part_keeps_what_came(
    http_client: ResponseAdapter, server: FakeProvider, recorder: Recorder, is_closed: bool
) -> None:
    gate = hold(server, http_client, http_client.api.events)
    response = (await http_client.stream()).response
    lines = response.aiter_lines() if http_client.is_async else response.iter_lines()
    for _ in range(2 * http_client.api.events):
        await anext(lines) if http_client.is_async else next(lines)
    await settle()
    assert recorder.spans == []
    if is_closed:
        await (response.aclose() if http_client.is_async else asyncio.to_thread(response.close))
    del response, lines
    gate.set()
    await settle()
    # A newer HTTP client closes by itself what is let go of.
    assert recorder.attributes["sentrial.stream.end"] in (["closed"] if is_closed else ["abandoned", "closed"])
    assert recorder.output is not None
    assert recorder.started == len(recorder.spans) == 1


@pytest.mark.parametrize("begun", [True, False])
async def test_a_stream_in_a_circle_is_abandoned_with_it(
    http_client: ResponseAdapter, recorder: Recorder, begun: bool
) -> None:
    stream = await http_client.stream()
    if begun:
        await http_client.next(stream)
    stream.response.extensions["above"] = stream
    del stream
    assert recorder.spans == []
    await settle()
    assert recorder.attributes["sentrial.stream.end"] == "abandoned"
    assert recorder.started == len(recorder.spans) == 1
