"""What the services that speak OpenAI's APIs say of tokens."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types import CompletionUsage

from sentrial._providers.openai.usage import read_usage
from sentrial.types import Usage


def test_tokens_of_chat_are_read_with_all_their_parts() -> None:
    asked = {"cached_tokens": 64, "cache_write_tokens": 8, "text_tokens": 50, "image_tokens": 30, "audio_tokens": 20}
    asked["cached_tokens_details"] = {"text_tokens": 40, "image_tokens": 20, "audio_tokens": 4}
    answered = {"reasoning_tokens": 16, "text_tokens": 9, "image_tokens": 8, "audio_tokens": 7}
    usage: dict[str, Any] = {"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140}
    usage |= {"prompt_tokens_details": asked, "completion_tokens_details": answered}
    said = Usage(100, 40, 64, 8, 16, 50, 30, 20, 9, 8, 7, 40, 20, 4)
    assert read_usage(usage) == said
    # Whatever the client's version has types for.
    assert read_usage(CompletionUsage.construct(**usage)) == said
    assert read_usage(CompletionUsage.model_validate(usage)) == said


def test_tokens_of_responses_are_read() -> None:
    usage = {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}
    usage |= {"input_tokens_details": {"cached_tokens": 2}, "output_tokens_details": {"reasoning_tokens": 1}}
    assert read_usage(usage) == Usage(5, 3, 2, None, 1)


@pytest.mark.parametrize("key", ["prompt_cache_hit_tokens", "cached_tokens"])
def test_cached_tokens_are_read_where_other_services_say_them(key: str) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101, key: 64}
    assert read_usage(CompletionUsage.construct(**usage)) == Usage(100, 1, 64)


@pytest.mark.parametrize("usage", [None, {}])
def test_no_tokens_are_not_zero_tokens(usage: Any) -> None:
    assert read_usage(usage) is None
    assert read_usage({"prompt_tokens": 3, "completion_tokens": 0}) == Usage(3, 0)


@pytest.mark.parametrize("count", [-5, 2**63, 2**70])
def test_tokens_that_nobody_can_have_counted_are_not_said(count: int) -> None:
    assert read_usage({"prompt_tokens": count, "completion_tokens": 2}) == Usage(output_tokens=2)


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        pytest.param(
            {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
            Usage(32, 103, reasoning_tokens=94),
            id="xAI's chat",
        ),
        pytest.param(
            {"prompt_tokens": 33, "completion_tokens": 7163, "total_tokens": 7196, "reasoning_tokens": 73997},
            Usage(33, 81160, reasoning_tokens=73997),
            id="Perplexity",
        ),
        pytest.param(
            {
                "prompt_tokens": 21,
                "completion_tokens": 0,
                "total_tokens": 81,
                "completion_tokens_details": {"reasoning_tokens": 60},
            },
            Usage(21, 60, reasoning_tokens=60),
            id="a gateway to Gemini",
        ),
        pytest.param(
            {
                "input_tokens": 32,
                "output_tokens": 103,
                "total_tokens": 135,
                "output_tokens_details": {"reasoning_tokens": 94},
            },
            Usage(32, 103, reasoning_tokens=94),
            id="xAI's responses",
        ),
    ],
)
def test_what_was_thought_is_output_however_it_was_counted(usage: dict[str, Any], said: Usage) -> None:
    assert read_usage(usage) == said


LITELLM: dict[str, Any] = {
    "prompt_tokens": 2100,
    "completion_tokens": 50,
    "total_tokens": 2150,
    "prompt_tokens_details": {"cached_tokens": 100, "cache_creation_tokens": 1900},
    "cache_creation_input_tokens": 1900,
    "cache_read_input_tokens": 100,
}


def test_what_a_gateway_says_of_the_cache_in_anthropics_words_is_read() -> None:
    said = Usage(2100, 50, 100, 1900)
    assert read_usage(LITELLM) == said
    assert read_usage(CompletionUsage.model_validate(LITELLM)) == said
    # Databricks has no details.
    assert read_usage({key: LITELLM[key] for key in LITELLM if key != "prompt_tokens_details"}) == said


def test_no_more_is_cached_than_was_given() -> None:
    usage = {"prompt_tokens": 31, "completion_tokens": 467, "cache_creation_input_tokens": 1253}
    assert read_usage(usage) == Usage(31, 467)


def test_what_the_service_charges_is_read() -> None:
    usage = {"prompt_tokens": 194, "completion_tokens": 2, "total_tokens": 196, "cost": 0.95}
    assert read_usage(usage) == read_usage(CompletionUsage.model_validate(usage)) == Usage(194, 2, stated_cost=0.95)
