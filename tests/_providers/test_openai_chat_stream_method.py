"""The client's own helpers around a stream: they call what is patched, and keep their own ways."""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from fake_provider import FakeProvider
from recorder import Recorder

ASKED: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}


def helper_of(client: Any) -> Any:
    """``stream()`` stood under ``beta`` in older clients."""
    completions = client.chat.completions
    return completions.stream if hasattr(completions, "stream") else client.beta.chat.completions.stream


@pytest.mark.parametrize(("whole", "end"), [(True, "drained"), (False, "closed")])
def test_a_streams_helper_is_one_span(
    server: FakeProvider, patched: None, recorder: Recorder, whole: bool, end: str
) -> None:
    with OpenAI(api_key="sk-test", base_url=server.base_url) as client, helper_of(client)(**ASKED) as stream:
        if whole:
            assert stream.get_final_completion().choices[0].message.content == "The parcel left Rotterdam on Tuesday."
        else:
            next(iter(stream))
    assert recorder.attributes["sentrial.stream.end"] == end


@pytest.mark.parametrize(("whole", "end"), [(True, "drained"), (False, "closed")])
async def test_an_async_streams_helper_is_one_span(
    server: FakeProvider, patched: None, recorder: Recorder, whole: bool, end: str
) -> None:
    async with AsyncOpenAI(api_key="sk-test", base_url=server.base_url) as client:
        async with helper_of(client)(**ASKED) as stream:
            if whole:
                completion = await stream.get_final_completion()
                assert completion.choices[0].message.content == "The parcel left Rotterdam on Tuesday."
            else:
                await stream.__anext__()
        assert recorder.attributes["sentrial.stream.end"] == end
