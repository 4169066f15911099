"""Pain F1: a stream has the tokens that the provider sent; what was not sent is absent, and nothing is asked for."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from fake_provider import Answer, FakeProvider
from recorder import Recorder
from recorder.fixtures import patched, recorder, server

__all__ = ["patched", "recorder", "server"]

ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where is my parcel?"}], "stream": True}
TOLD = {
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 48,
    "gen_ai.usage.cache_read.input_tokens": 1024,
    "gen_ai.usage.reasoning.output_tokens": 16,
}


def usage(recorder: Recorder) -> dict[str, Any]:
    return {key: value for key, value in recorder.attributes.items() if key.startswith("gen_ai.usage.")}


@pytest.mark.usefixtures("patched")
@pytest.mark.parametrize("asked", [True, False])
def test_pain_f1_a_stream_has_the_tokens_that_were_sent_and_no_others(
    server: FakeProvider, recorder: Recorder, asked: bool
) -> None:
    server.queue(Answer.stream(usage=asked))
    options = {"stream_options": {"include_usage": True}} if asked else {}
    with openai.OpenAI(api_key="k", base_url=server.base_url) as client:
        chunks = list(client.chat.completions.create(**ASK, **options))
    assert usage(recorder) == (TOLD if asked else {})
    assert server.requests[0].body.get("stream_options") == options.get("stream_options")
    # The chunk of the tokens, without choices, is there for who asked for it and for nobody else.
    assert [len(chunk.choices) for chunk in chunks].count(0) == int(asked)


@pytest.mark.usefixtures("patched")
async def test_pain_f1_what_was_not_sent_is_absent_from_an_async_stream_and_not_zero(
    server: FakeProvider, recorder: Recorder
) -> None:
    server.queue(Answer.stream(usage=False))
    async with openai.AsyncOpenAI(api_key="k", base_url=server.base_url) as client:
        chunks = [chunk async for chunk in await client.chat.completions.create(**ASK)]
    assert all(chunk.choices for chunk in chunks)
    assert usage(recorder) == {}
    assert "sentrial.estimated_cost" not in recorder.attributes
