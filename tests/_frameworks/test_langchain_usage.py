from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult

from sentrial._frameworks.langchain.answer import read_response
from sentrial._frameworks.langchain.usage import read_usage_metadata
from sentrial.types import Usage


def test_what_is_cached_in_a_tier_of_its_own_price_counts_all_the_same() -> None:
    counted = {
        "input_tokens": 1200,
        "output_tokens": 48,
        "input_token_details": {"flex_cache_read": 1024, "flex_cache_creation": 100, "flex": 176},
        "output_token_details": {"flex_reasoning": 16, "flex": 32},
    }

    assert read_usage_metadata(counted) == Usage(
        1200, 48, cache_read_tokens=1024, cache_write_tokens=100, reasoning_tokens=16
    )


@pytest.mark.parametrize("generic", [0, 1200])
def test_what_is_written_to_the_cache_counts_once(generic: int) -> None:
    details = {"cache_creation": generic, "ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 200}
    counted = {"input_tokens": 1240, "output_tokens": 2, "input_token_details": details}

    assert read_usage_metadata(counted) == Usage(1240, 2, cache_write_tokens=1200, hour_cache_write_tokens=200)


def test_what_was_thought_is_output_where_the_provider_counts_it_beside() -> None:
    counted = {"input_tokens": 32, "output_tokens": 9, "total_tokens": 135, "output_token_details": {"reasoning": 94}}
    assert read_usage_metadata(counted) == Usage(32, 103, reasoning_tokens=94)
    assert read_usage_metadata({**counted, "total_tokens": 41, "output_tokens": 9}) == Usage(
        32, 103, reasoning_tokens=94
    )
    assert read_usage_metadata({**counted, "output_tokens": 103}) == Usage(32, 103, reasoning_tokens=94)


def test_what_google_s_own_tools_read_is_input() -> None:
    counted = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 150}

    assert read_usage_metadata(counted, "google_genai") == Usage(130, 20)
    assert read_usage_metadata(counted, "other") == Usage(100, 20)


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        ({"token_usage": {"prompt_tokens": 4, "completion_tokens": 6}}, Usage(4, 6)),
        ({"usage": {"input_tokens": 4, "cache_read_input_tokens": 3, "output_tokens": 6}}, Usage(7, 6, 3)),
        ({"prompt_eval_count": 4, "eval_count": 6}, Usage(4, 6)),
        ({"token_usage": {"total_tokens": 9}}, Usage(undivided_tokens=9)),
        ({"token_usage": {}}, None),
        (
            {"token_usage": {"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 17, "reasoning_tokens": 2}},
            Usage(9, 8, reasoning_tokens=2),
        ),
        # A gateway has counted what was cached already.
        (
            {"token_usage": {"prompt_tokens": 9, "cache_creation_input_tokens": 3, "completion_tokens": 6}},
            Usage(9, 6, cache_write_tokens=3),
        ),
        ({"token_usage": {"prompt_tokens": 9, "completion_tokens": 6, "cost": 0.5}}, Usage(9, 6, stated_cost=0.5)),
    ],
)
def test_integrations_with_words_of_their_own_are_counted(said: dict[str, Any], usage: Usage | None) -> None:
    message = AIMessage("words", response_metadata=said)
    for generation in (ChatGeneration(message=message), Generation(text="words", generation_info=said)):
        assert read_response(LLMResult(generations=[[generation]])).usage == usage


@pytest.mark.parametrize(
    ("said", "charged"),
    [
        ({"token_usage": {"prompt_tokens": 4, "completion_tokens": 6, "cost": 0.5}}, {"stated_cost": 0.5}),
        ({"usage": {"input_tokens": 4, "server_tool_use": {"web_search_requests": 2}}}, {"web_searches": 2}),
        ({"cost": 0.5}, {"stated_cost": 0.5}),
        ({}, {}),
    ],
)
def test_what_is_charged_besides_tokens_stands_where_langchain_passes_it_on(
    said: dict[str, Any], charged: dict[str, Any]
) -> None:
    counted: Any = {"input_tokens": 4, "output_tokens": 6, "total_tokens": 10}
    message = AIMessage("words", usage_metadata=counted, response_metadata=said)
    assert read_response(LLMResult(generations=[[ChatGeneration(message=message)]])).usage == Usage(4, 6, **charged)
