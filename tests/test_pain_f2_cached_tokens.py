"""Pain F2: what is cached, thought or heard is a part of the tokens that are billed, and is priced once, as that."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sentrial._providers.anthropic import messages
from sentrial._providers.anthropic.stream import MessageAccumulator
from sentrial._providers.google import content
from sentrial._providers.openai import chat, responses
from sentrial._spans import cost
from sentrial._totals import PricedCall
from sentrial.types import LlmResponse, Usage

AT = int(datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.timezone.utc).timestamp()) * 1_000_000_000
"""When all of these calls were made: prices are those of that day."""
MILLION = 1e6


@dataclass(frozen=True)
class Row:
    """A raw answer, what it says of tokens, and its price by hand.

    ``dollars``: pairs of tokens and dollars for a million of them, as genai-prices has them for the model.
    """

    read: Callable[[Any], LlmResponse]
    answer: dict[str, Any]
    provider: str
    model: str
    usage: Usage
    dollars: list[tuple[int, float]]

    @property
    def by_hand(self) -> float:
        return sum(tokens * each for tokens, each in self.dollars) / MILLION


def claude(**usage: Any) -> dict[str, Any]:
    return {"type": "message", "content": [], "stop_reason": "end_turn", "usage": usage}


def gpt(**usage: Any) -> dict[str, Any]:
    return {"object": "chat.completion", "choices": [], "usage": usage}


GPT_4O = gpt(
    prompt_tokens=1200,
    completion_tokens=340,
    total_tokens=1540,
    prompt_tokens_details={"cached_tokens": 1024, "audio_tokens": 0},
    completion_tokens_details={"reasoning_tokens": 128, "audio_tokens": 0},
)
GPT_4O_USAGE = Usage(1200, 340, 1024, None, 128, audio_input_tokens=0, audio_output_tokens=0)
GPT_4O_DOLLARS = [(176, 2.50), (1024, 1.25), (340, 10.0)]

ROWS = {
    "OpenAI, cached and reasoning": Row(chat.read_response, GPT_4O, "openai", "gpt-4o", GPT_4O_USAGE, GPT_4O_DOLLARS),
    "OpenAI, audio in and out, some of it cached": Row(
        chat.read_response,
        gpt(
            prompt_tokens=1000,
            completion_tokens=500,
            prompt_tokens_details={
                "cached_tokens": 400,
                "text_tokens": 600,
                "audio_tokens": 400,
                "cached_tokens_details": {"text_tokens": 300, "audio_tokens": 100},
            },
            completion_tokens_details={"text_tokens": 120, "audio_tokens": 380, "reasoning_tokens": 0},
        ),
        "openai",
        "gpt-realtime",
        Usage(
            1000,
            500,
            400,
            None,
            0,
            text_input_tokens=600,
            audio_input_tokens=400,
            text_output_tokens=120,
            audio_output_tokens=380,
            text_cache_read_tokens=300,
            audio_cache_read_tokens=100,
        ),
        [(300, 4.0), (300, 0.40), (300, 32.0), (100, 0.40), (120, 16.0), (380, 64.0)],
    ),
    "OpenAI responses, cached and reasoning": Row(
        responses.read_response,
        {
            "object": "response",
            "status": "completed",
            "output": [],
            "usage": {
                "input_tokens": 1500,
                "input_tokens_details": {"cached_tokens": 1024},
                "output_tokens": 96,
                "output_tokens_details": {"reasoning_tokens": 64},
                "total_tokens": 1596,
            },
        },
        "openai",
        "gpt-5-mini",
        Usage(1500, 96, 1024, None, 64),
        [(476, 0.25), (1024, 0.025), (96, 2.0)],
    ),
    "Azure, cached and reasoning": Row(
        chat.read_response, GPT_4O, "azure.ai.openai", "gpt-4o", GPT_4O_USAGE, GPT_4O_DOLLARS
    ),
    "Anthropic, written for five minutes": Row(
        messages.read_response,
        claude(
            input_tokens=40,
            output_tokens=220,
            cache_creation_input_tokens=1200,
            cache_read_input_tokens=0,
            cache_creation={"ephemeral_5m_input_tokens": 1200, "ephemeral_1h_input_tokens": 0},
        ),
        "anthropic",
        "claude-opus-4-5",
        Usage(1240, 220, 0, 1200),
        [(40, 5.0), (1200, 6.25), (220, 25.0)],
    ),
    "Anthropic, written for an hour": Row(
        messages.read_response,
        claude(
            input_tokens=40,
            output_tokens=220,
            cache_creation_input_tokens=1200,
            cache_read_input_tokens=0,
            cache_creation={"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1200},
        ),
        "anthropic",
        "claude-opus-4-5",
        Usage(1240, 220, 0, 1200, hour_cache_write_tokens=1200),
        [(40, 5.0), (1200, 10.0), (220, 25.0)],
    ),
    "Anthropic, read, and written for both times": Row(
        messages.read_response,
        claude(
            input_tokens=40,
            output_tokens=220,
            cache_creation_input_tokens=1200,
            cache_read_input_tokens=3500,
            cache_creation={"ephemeral_5m_input_tokens": 700, "ephemeral_1h_input_tokens": 500},
            output_tokens_details={"thinking_tokens": 180},
        ),
        "anthropic",
        "claude-opus-4-5",
        Usage(4740, 220, 3500, 1200, 180, hour_cache_write_tokens=500),
        [(40, 5.0), (3500, 0.50), (700, 6.25), (500, 10.0), (220, 25.0)],
    ),
    "Anthropic, read alone": Row(
        messages.read_response,
        claude(input_tokens=40, output_tokens=220, cache_creation_input_tokens=0, cache_read_input_tokens=3500),
        "anthropic",
        "claude-opus-4-5",
        Usage(3540, 220, 3500, 0),
        [(40, 5.0), (3500, 0.50), (220, 25.0)],
    ),
    "Bedrock, read and written": Row(
        messages.read_response,
        claude(input_tokens=40, output_tokens=220, cache_creation_input_tokens=1200, cache_read_input_tokens=3500),
        "aws.bedrock",
        "anthropic.claude-3-5-sonnet-20240620-v1:0",
        Usage(4740, 220, 3500, 1200),
        [(40, 3.0), (3500, 0.30), (1200, 3.75), (220, 15.0)],
    ),
    "Gemini, thoughts and cached": Row(
        content.read_response,
        {
            "usageMetadata": {
                "promptTokenCount": 2000,
                "cachedContentTokenCount": 1500,
                "candidatesTokenCount": 60,
                "thoughtsTokenCount": 240,
                "totalTokenCount": 2300,
            }
        },
        "gcp.gemini",
        "gemini-2.5-flash",
        Usage(2000, 300, 1500, None, 240),
        [(500, 0.30), (1500, 0.03), (300, 2.50)],
    ),
    "Vertex, audio, some of it cached": Row(
        content.read_response,
        {
            "usageMetadata": {
                "promptTokenCount": 2000,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 1200},
                    {"modality": "AUDIO", "tokenCount": 800},
                ],
                "cachedContentTokenCount": 700,
                "cacheTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 400},
                    {"modality": "AUDIO", "tokenCount": 300},
                ],
                "candidatesTokenCount": 60,
                "totalTokenCount": 2060,
            }
        },
        "gcp.vertex_ai",
        "gemini-2.5-flash",
        Usage(
            2000,
            60,
            700,
            text_input_tokens=1200,
            audio_input_tokens=800,
            text_cache_read_tokens=400,
            audio_cache_read_tokens=300,
        ),
        [(800, 0.30), (500, 1.0), (400, 0.03), (300, 0.10), (60, 2.50)],
    ),
    # At least 400 of 500 cached tokens are audio, where but 100 of 1000 are not.
    "Gemini, audio, nobody says how much of it is cached": Row(
        content.read_response,
        {
            "usageMetadata": {
                "promptTokenCount": 1000,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 100},
                    {"modality": "AUDIO", "tokenCount": 900},
                ],
                "cachedContentTokenCount": 500,
                "candidatesTokenCount": 50,
                "totalTokenCount": 1050,
            }
        },
        "gcp.gemini",
        "gemini-2.5-flash",
        Usage(1000, 50, 500, text_input_tokens=100, audio_input_tokens=900),
        [(100, 0.03), (500, 1.0), (400, 0.10), (50, 2.50)],
    ),
    "Gemini, a picture": Row(
        content.read_response,
        {
            "usageMetadata": {
                "promptTokenCount": 10,
                "candidatesTokenCount": 1290,
                "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
                "totalTokenCount": 1300,
            }
        },
        "gcp.gemini",
        "gemini-2.5-flash-image",
        Usage(10, 1290, image_output_tokens=1290),
        [(10, 0.30), (1290, 30.0)],
    ),
    "xAI, reasoning beside the answer": Row(
        chat.read_response,
        gpt(
            prompt_tokens=32,
            completion_tokens=9,
            total_tokens=135,
            prompt_tokens_details={"cached_tokens": 6},
            completion_tokens_details={"reasoning_tokens": 94},
        ),
        "x_ai",
        "grok-3-mini",
        Usage(32, 103, 6, None, 94),
        [(26, 0.30), (6, 0.075), (103, 0.50)],
    ),
    "LiteLLM, read and written": Row(
        chat.read_response,
        gpt(
            prompt_tokens=2100,
            completion_tokens=50,
            total_tokens=2150,
            prompt_tokens_details={"cached_tokens": 100, "cache_creation_tokens": 1900},
            cache_creation_input_tokens=1900,
            cache_read_input_tokens=100,
        ),
        "anthropic",
        "claude-sonnet-4-5",
        Usage(2100, 50, 100, 1900),
        [(100, 3.0), (100, 0.30), (1900, 3.75), (50, 15.0)],
    ),
}


@pytest.fixture(params=list(ROWS.values()), ids=list(ROWS))
def row(request: pytest.FixtureRequest) -> Row:
    """One line of the table."""
    found: Row = request.param
    return found


def usage_of(row: Row) -> Usage:
    usage = row.read(row.answer).usage
    assert usage is not None
    return usage


def test_pain_f2_tokens_are_those_that_the_provider_billed(row: Row) -> None:
    assert usage_of(row) == row.usage


def test_pain_f2_parts_are_no_more_than_the_whole(row: Row) -> None:
    usage = usage_of(row)
    given, answered = usage.input_tokens, usage.output_tokens
    assert given is not None
    assert answered is not None
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    uncached = given - read - written
    assert uncached > 0
    assert given == sum(tokens for tokens, _ in row.dollars) - answered
    assert (usage.hour_cache_write_tokens or 0) <= written
    assert (usage.reasoning_tokens or 0) <= answered
    assert (usage.audio_input_tokens or 0) + (usage.text_input_tokens or 0) in (0, given)
    assert (usage.audio_cache_read_tokens or 0) + (usage.text_cache_read_tokens or 0) in (0, read)


def test_pain_f2_the_cost_is_what_a_hand_calculation_gives(row: Row) -> None:
    found = cost.price(PricedCall(row.provider, row.model, usage_of(row), AT))
    assert found == pytest.approx(row.by_hand, abs=1e-9)


def test_pain_f2_a_model_that_nobody_knows_has_no_cost_and_not_zero(row: Row) -> None:
    assert cost.price(PricedCall(row.provider, "no-such-model", usage_of(row), AT)) is None


@pytest.mark.parametrize("name", [name for name in ROWS if name.startswith(("Anthropic", "Bedrock"))])
def test_pain_f2_a_stream_says_the_same(name: str) -> None:
    row = ROWS[name]
    told = row.answer["usage"]
    last = {key: count for key, count in told.items() if key != "cache_creation"}
    accumulator = MessageAccumulator()
    accumulator.add({"type": "message_start", "message": {"id": "msg_1", "usage": {**told, "output_tokens": 1}}})
    accumulator.add({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": last})
    assert messages.read_response(accumulator.result()).usage == row.usage
