"""What holds of raw responses of every patched client: they behave as ever, and what was read of them is recorded."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from adapters import Adapter
from fake_provider import Answer, FakeProvider
from recorder import Recorder
from sentrial._patch import abandoned, install

TEXT = "The parcel left Rotterdam on Tuesday."


def assert_complete(recorder: Recorder, *, stream: bool) -> None:
    """One span, with all that the answer said."""
    attributes = recorder.attributes
    assert attributes["gen_ai.response.model"] == "gpt-4.1-mini-2025-04-14"
    assert attributes["gen_ai.usage.input_tokens"] == 1200
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 1024
    assert attributes.get("sentrial.stream.end") == ("drained" if stream else None)
    assert ("gen_ai.response.time_to_first_chunk" in attributes) == stream
    assert recorder.output == [
        {"role": "assistant", "parts": [{"type": "text", "content": TEXT}], "finish_reason": "stop"}
    ]
    assert recorder.one.status.status_code is StatusCode.UNSET


def as_dict(raw: Any) -> dict[str, Any]:
    """What a program sees of a raw response."""
    headers = {key: value for key, value in raw.headers.items() if key != "date"}
    return {"type": type(raw), "headers": headers, "status": raw.status_code, "keys": sorted(vars(raw))}


@pytest.mark.parametrize("parsed", [True, False])
async def test_a_raw_response_is_recorded_whether_it_is_parsed_or_not(
    client: Adapter, recorder: Recorder, parsed: bool
) -> None:
    raw = await client.raw()
    assert raw.headers["x-request-id"] == "req_1"
    if parsed:
        assert (await client.parse(raw)).choices[0].message.content == TEXT
        assert await client.parse(raw) is await client.parse(raw)
    assert_complete(recorder, stream=False)


async def test_a_raw_response_is_the_clients_own_object(client: Adapter, recorder: Recorder) -> None:
    ours = await client.raw()
    parsed = await client.parse(ours)
    install.uninstall()
    theirs = await client.raw()
    assert as_dict(ours) == as_dict(theirs)
    assert ours.text == theirs.text
    assert parsed == await client.parse(theirs)
    assert recorder.started == 1


async def test_a_raw_stream_is_recorded_when_its_stream_is_drained(client: Adapter, recorder: Recorder) -> None:
    raw = await client.raw(stream=True)
    stream = await client.parse(raw)
    assert recorder.spans == []
    assert len(await client.drain(stream)) == 7
    assert_complete(recorder, stream=True)
    assert await client.parse(raw) is stream


async def test_a_raw_stream_that_is_closed_keeps_what_came(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    gate = server.hold(after=2)
    raw = await client.raw(stream=True)
    stream = await client.parse(raw)
    await client.next(stream)
    await client.next(stream)
    await client.close(stream)
    gate.set()
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert recorder.output == [
        {"role": "assistant", "parts": [{"type": "text", "content": TEXT[:10]}], "finish_reason": "error"}
    ]


async def test_a_raw_stream_that_is_let_go_of_is_abandoned(client: Adapter, recorder: Recorder) -> None:
    await client.raw(stream=True)
    gc.collect()
    abandoned.settle()
    assert recorder.attributes["sentrial.stream.end"] == "abandoned"
    await asyncio.sleep(0)


async def test_a_refused_raw_call_is_a_failed_span(client: Adapter, server: FakeProvider, recorder: Recorder) -> None:
    server.queue(Answer.error(401, "who are you"))
    with pytest.raises(Exception, match="who are you"):
        await client.raw()
    assert recorder.attributes["error.type"] == "openai.AuthenticationError"


@pytest.mark.parametrize("coding", [None, "gzip"])
@pytest.mark.parametrize("stream", [True, False])
async def test_lines_that_the_program_reads_itself_are_read_by_us_too(
    client: Adapter, server: FakeProvider, recorder: Recorder, stream: bool, coding: str | None
) -> None:
    answer = Answer.stream(coding=coding) if stream else Answer.reply(coding=coding)
    server.queue(answer, answer)
    changes = {"stream": True} if stream else {}
    async with client.raw_streaming(**changes) as raw:
        seen = as_dict(raw)
        assert recorder.spans == []
        ours = await client.lines(raw)
    assert_complete(recorder, stream=stream)
    install.uninstall()
    async with client.raw_streaming(**changes) as raw:
        assert seen == as_dict(raw)
        assert ours == await client.lines(raw)
    assert recorder.started == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_a_streaming_response_can_be_parsed(client: Adapter, recorder: Recorder, stream: bool) -> None:
    async with client.raw_streaming(**({"stream": True} if stream else {})) as raw:
        parsed = await client.parse(raw)
        if stream:
            assert len(await client.drain(parsed)) == 7
        else:
            assert parsed.choices[0].message.content == TEXT
    assert_complete(recorder, stream=stream)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_streaming_response_of_which_only_the_headers_are_read_is_closed(
    client: Adapter, server: FakeProvider, recorder: Recorder, stream: bool
) -> None:
    async with client.raw_streaming(**({"stream": True} if stream else {})) as raw:
        assert raw.status_code == 200
        assert recorder.spans == []
    assert recorder.attributes["sentrial.stream.end"] == "closed"
    assert recorder.output is None
    assert recorder.one.status.status_code is StatusCode.UNSET


async def test_a_body_that_no_one_can_decode_costs_the_program_nothing(
    client: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    answer = Answer.reply(headers={"Content-Encoding": "unheard-of"})
    server.queue(answer)
    async with client.raw_streaming() as raw:
        assert "".join(await client.lines(raw)).startswith('{"id": "chatcmpl-text-1"')
    assert recorder.one.status.status_code is StatusCode.UNSET
    assert recorder.output is None
