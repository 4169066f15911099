"""What holds of calls that a client makes again by itself: one span, which says how often."""

from __future__ import annotations

import pytest
from opentelemetry.trace import StatusCode

from adapters import RESPONSE_ADAPTERS, Adapter
from adapters.fixtures import clients_of
from fake_provider import Answer, FakeProvider
from recorder import Recorder
from recorder.reading import said
from sentrial._patch import install

RETRIES = "sentrial.retry.count"


def again(client: Adapter, status: int) -> Answer:
    """A refusal after which the client tries again at once."""
    refused = client.api.error(status, "again")
    refused.headers["retry-after-ms"] = "1"
    return refused


patient = clients_of(RESPONSE_ADAPTERS, retries=2)
"""A client that tries three times."""


async def test_a_call_that_succeeds_in_the_end_is_one_span(
    patient: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(again(patient, 500), again(patient, 500))
    assert patient.api.text_of(await patient.create()) == patient.api.text
    assert len(server.requests) == 3
    assert recorder.one.status.status_code is StatusCode.UNSET
    assert recorder.attributes[RETRIES] == 2
    assert {key: recorder.attributes[key] for key in patient.api.response} == patient.api.response


async def test_a_call_that_fails_in_the_end_is_one_span(
    patient: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(*[again(patient, 500)] * 3)
    with pytest.raises(Exception, match="again"):
        await patient.create()
    assert len(server.requests) == 3
    assert recorder.one.status.status_code is StatusCode.ERROR
    assert recorder.attributes[RETRIES] == 2
    assert recorder.attributes["error.type"] == patient.api.errors[500]


async def test_a_stream_that_is_asked_for_twice_is_one_span(
    patient: Adapter, server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(again(patient, 500))
    assert len(await patient.drain(await patient.stream())) == patient.api.chunks
    assert recorder.attributes[RETRIES] == 1
    assert recorder.attributes["sentrial.stream.end"] == "drained"
    assert said(recorder) == patient.api.text


async def test_a_call_that_succeeds_at_once_says_nothing_of_retries(patient: Adapter, recorder: Recorder) -> None:
    await patient.create()
    assert RETRIES not in recorder.attributes


async def test_without_us_the_client_asks_as_often(patient: Adapter, server: FakeProvider, recorder: Recorder) -> None:
    install.uninstall()
    server.queue(again(patient, 500))
    await patient.create()
    assert (len(server.requests), recorder.started) == (2, 0)
