"""Pain F3: attempts that failed are told on the one span of a call, and what was waited apart from what was worked."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from fake_provider import Answer, FakeProvider
from recorder import Recorder
from recorder.fixtures import patched, recorder, server

__all__ = ["patched", "recorder", "server"]

QUESTION: Any = [{"role": "user", "content": "Where is my parcel?"}]
WAITS = {"retry_after_ms": "60"}


def answers() -> list[Answer]:
    return [
        Answer.error(429, "Slow down.", **WAITS),
        Answer.error(500, "Sorry.", **WAITS),
    ]


def assert_told(recorder: Recorder, retries: int) -> None:
    span = recorder.one
    assert recorder.attributes["sentrial.retry.count"] == retries
    events = [event for event in span.events if event.name == "sentrial.retry"]
    assert [(event.attributes or {})["http.response.status_code"] for event in events] == [429, 500][:retries]
    waits = [float((event.attributes or {})["sentrial.retry.wait"]) for event in events]
    assert min(waits) >= 0.06
    assert recorder.attributes["sentrial.retry.wait"] == pytest.approx(sum(waits))
    assert span.start_time is not None
    assert span.end_time is not None
    worked = (span.end_time - span.start_time) / 1e9 - sum(waits)
    assert worked > -0.01  # another clock than that of the waits


@pytest.mark.usefixtures("patched")
def test_pain_f3_two_attempts_that_failed_are_two_events_of_one_span_that_succeeds(
    server: FakeProvider, recorder: Recorder
) -> None:
    import openai

    server.queue(*answers())
    with openai.OpenAI(api_key="k", base_url=server.base_url, max_retries=2) as client:
        assert client.chat.completions.create(model="gpt-4o", messages=QUESTION).id == "chatcmpl-text-1"
    assert len(server.requests) == 3
    assert recorder.one.status.is_unset
    assert_told(recorder, 2)


@pytest.mark.usefixtures("patched")
async def test_pain_f3_a_call_that_fails_for_good_tells_of_its_retries_too(
    server: FakeProvider, recorder: Recorder
) -> None:
    import openai

    server.queue(*answers())
    async with openai.AsyncOpenAI(api_key="k", base_url=server.base_url, max_retries=1) as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="gpt-4o", messages=QUESTION)
    assert len(server.requests) == 2
    assert recorder.one.status.is_ok is False
    assert_told(recorder, 1)


@pytest.mark.usefixtures("patched")
def test_pain_f3_a_call_that_succeeds_at_once_says_nothing_of_retries(server: FakeProvider, recorder: Recorder) -> None:
    import openai

    with openai.OpenAI(api_key="k", base_url=server.base_url) as client:
        client.chat.completions.create(model="gpt-4o", messages=QUESTION)
    assert not any("retry" in key for key in recorder.attributes)
    assert recorder.one.events == ()


@pytest.mark.usefixtures("patched")
def test_pain_f3_a_wait_that_nobody_saw_begin_is_not_said(recorder: Recorder) -> None:
    import openai

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        # Nobody listens there, so that no answer comes that a wait could begin with.
        base_url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        client = openai.OpenAI(api_key="k", base_url=base_url, max_retries=1)
        with client, pytest.raises(openai.APIConnectionError):
            client.chat.completions.create(model="gpt-4o", messages=QUESTION)
    assert recorder.attributes["sentrial.retry.count"] == 1
    assert "sentrial.retry.wait" not in recorder.attributes
    assert [dict(event.attributes or {}) for event in recorder.one.events if event.name == "sentrial.retry"] == [{}]
