"""What a call costs is what its provider says; where it says nothing, what it has counted is priced, all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

import sentrial
from fake_provider import Answer, FakeProvider, read_reply
from fake_provider import anthropic as anthropic_api
from fake_provider.chat_stream import events_of
from google_clients import gemini
from receivers import OtlpHttpReceiver
from running import arrived

OPENROUTER: dict[str, Any] = {
    "prompt_tokens": 194,
    "completion_tokens": 2,
    "total_tokens": 196,
    "cost": 0.95,
    "cost_details": {"upstream_inference_cost": None},
    "is_byok": False,
}
PERPLEXITY: dict[str, Any] = {
    "prompt_tokens": 33,
    "completion_tokens": 7163,
    "total_tokens": 7196,
    "citation_tokens": 20016,
    "num_search_queries": 18,
    "reasoning_tokens": 73997,
    "cost": {"input_tokens_cost": 0.00007, "output_tokens_cost": 0.057, "total_cost": 0.419},
}
XAI: dict[str, Any] = {
    "prompt_tokens": 32,
    "completion_tokens": 9,
    "total_tokens": 135,
    "prompt_tokens_details": {"cached_tokens": 6},
    "completion_tokens_details": {"reasoning_tokens": 94},
}
ASK: Any = {"messages": [{"role": "user", "content": "Where is my parcel?"}]}


@pytest.fixture
def server() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        yield server


@pytest.fixture
def collector() -> Iterator[OtlpHttpReceiver]:
    with OtlpHttpReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url)
        yield collector
        sentrial.shutdown(5)


def told(collector: OtlpHttpReceiver) -> tuple[dict[str, Any], dict[str, Any]]:
    """The attributes of the one call, and those of its session."""
    spans = arrived(collector)
    session = spans.pop("invoke_agent support")
    (call,) = spans.values()
    return call["attributes"], session["attributes"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    ("usage", "model", "output", "dollars"),
    [
        pytest.param(OPENROUTER, "a-vendor/a-model", 2, 0.95, id="OpenRouter"),
        pytest.param(
            {**OPENROUTER, "is_byok": True, "cost": 0.05, "cost_details": {"upstream_inference_cost": 1.0}},
            "a-vendor/a-model",
            2,
            1.05,
            id="OpenRouter with a key of the program's own",
        ),
        pytest.param(PERPLEXITY, "sonar-deep-research", 7163 + 73997, 0.419, id="Perplexity"),
        pytest.param({**XAI, "cost_in_usd_ticks": 2_709_000}, "grok-99", 103, 0.0002709, id="xAI"),
    ],
)
def test_what_a_service_says_of_its_charge_is_the_cost(
    server: FakeProvider,
    collector: OtlpHttpReceiver,
    usage: dict[str, Any],
    model: str,
    output: int,
    dollars: float,
    stream: bool,
) -> None:
    reply = {**read_reply("chat_text"), "model": model, "usage": usage}
    server.queue(Answer(events=events_of(reply)) if stream else Answer(body=reply))
    with sentrial.begin("ann", "support"), openai.OpenAI(api_key="k", base_url=server.base_url) as client:
        answer: Any = client.chat.completions.create(model=model, stream=stream, **ASK)
        if stream:
            list(answer)
    call, session = told(collector)
    for attributes in (call, session):
        assert attributes["sentrial.estimated_cost"] == pytest.approx(dollars, abs=1e-12)
        assert attributes["gen_ai.usage.input_tokens"] == usage["prompt_tokens"]
        assert attributes["gen_ai.usage.output_tokens"] == output
    assert session["sentrial.usage.total_tokens"] == usage["prompt_tokens"] + output


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_thoughts_that_are_counted_beside_the_answer_are_priced(
    server: FakeProvider, collector: OtlpHttpReceiver, stream: bool
) -> None:
    reply = {**read_reply("chat_text"), "usage": XAI}
    server.queue(Answer(events=events_of(reply)) if stream else Answer(body=reply))
    with sentrial.begin("ann", "support"), openai.OpenAI(api_key="k", base_url=server.base_url) as client:
        answer: Any = client.chat.completions.create(model="gpt-4.1-mini", stream=stream, **ASK)
        if stream:
            list(answer)
    call, session = told(collector)
    # Dollars for a million tokens: 0.40 for input, 0.10 for what is cached, 1.60 for output.
    assert call["sentrial.estimated_cost"] == pytest.approx((26 * 0.40 + 6 * 0.10 + 103 * 1.60) / 1e6, abs=1e-12)
    assert call["gen_ai.usage.reasoning.output_tokens"] == 94
    assert session["sentrial.usage.total_tokens"] == XAI["total_tokens"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_searches_of_the_web_are_charged_besides_the_tokens(
    server: FakeProvider, collector: OtlpHttpReceiver, stream: bool
) -> None:
    usage = {"input_tokens": 250, "output_tokens": 50, "server_tool_use": {"web_search_requests": 3}}
    reply = {**read_reply("message_text"), "model": "claude-sonnet-4-6", "usage": usage}
    events = [anthropic_api.event(data) for data in anthropic_api.events_of(reply)]
    server.queue(Answer(events=events) if stream else Answer(body=reply))
    with sentrial.begin("ann", "support"), anthropic.Anthropic(api_key="k", base_url=server.url) as client:
        answer: Any = client.messages.create(model="claude-sonnet-4-6", max_tokens=100, stream=stream, **ASK)
        if stream:
            list(answer)
    call, session = told(collector)
    # Dollars: 3 and 15 for a million tokens, 10 for a thousand searches.
    dollars = (250 * 3 + 50 * 15) / 1e6 + 3 * 10 / 1e3
    assert call["sentrial.estimated_cost"] == pytest.approx(dollars, abs=1e-12)
    assert session["sentrial.estimated_cost"] == pytest.approx(dollars, abs=1e-12)


def test_a_picture_that_gemini_draws_costs_what_pictures_cost(
    server: FakeProvider, collector: OtlpHttpReceiver
) -> None:
    usage = {
        "promptTokenCount": 10,
        "candidatesTokenCount": 1290,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
        "totalTokenCount": 1300,
    }
    model = "gemini-2.5-flash-image"
    server.queue(Answer(body={**read_reply("gemini_image"), "modelVersion": model, "usageMetadata": usage}))
    with sentrial.begin("ann", "support"), gemini(server) as client:
        client.models.generate_content(model=model, contents="A parcel")
    call, session = told(collector)
    # Dollars for a million tokens: 0.30 for input, 30 for pictures, 2.50 for words.
    dollars = (10 * 0.30 + 1290 * 30.0) / 1e6
    assert call["sentrial.estimated_cost"] == pytest.approx(dollars, abs=1e-12)
    assert session["sentrial.estimated_cost"] == pytest.approx(dollars, abs=1e-12)
