"""Whom OpenAI's client asks, and what the services say of tokens."""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
from openai.types import CompletionUsage

from sentrial._patch.spec import Outgoing
from sentrial._providers.openai.asked import read_asked, read_usage
from sentrial._providers.openai.chat import OPERATION
from sentrial.types import Usage

AZURE = {"api_key": "k", "api_version": "2024-10-21"}


@pytest.mark.parametrize(
    ("client", "provider", "address"),
    [
        (OpenAI(api_key="k"), "openai", "api.openai.com"),
        (AsyncOpenAI(api_key="k", base_url="https://api.groq.com/openai/v1"), "groq", "api.groq.com"),
        (OpenAI(api_key="k", base_url="https://api.together.xyz/v1"), "together_ai", "api.together.xyz"),
        (OpenAI(api_key="k", base_url="https://api.deepseek.com"), "deepseek", "api.deepseek.com"),
        (OpenAI(api_key="k", base_url="https://api.mistral.ai/v1"), "mistral_ai", "api.mistral.ai"),
        (OpenAI(api_key="k", base_url="https://openrouter.ai/api/v1"), "openrouter", "openrouter.ai"),
        (OpenAI(api_key="k", base_url="https://api.x.ai/v1"), "x_ai", "api.x.ai"),
        (OpenAI(api_key="k", base_url="https://api.fireworks.ai/inference/v1"), "fireworks_ai", "api.fireworks.ai"),
        (OpenAI(api_key="k", base_url="https://api.perplexity.ai"), "perplexity", "api.perplexity.ai"),
        (OpenAI(api_key="k", base_url="http://localhost:11434/v1"), "ollama", "localhost"),
        # A vLLM of one's own: it says nowhere who it is, and the API is OpenAI's.
        (OpenAI(api_key="k", base_url="http://gpu-1:8000/v1"), "openai", "gpu-1"),
        (
            OpenAI(api_key="k", base_url="https://t.openai.azure.com/openai/v1/"),
            "azure.ai.openai",
            "t.openai.azure.com",
        ),
        (AzureOpenAI(**AZURE, azure_endpoint="https://t.openai.azure.com"), "azure.ai.openai", "t.openai.azure.com"),
        (AsyncAzureOpenAI(**AZURE, base_url="http://gateway.internal/openai"), "azure.ai.openai", "gateway.internal"),
    ],
)
def test_the_provider_is_whoever_is_asked(client: Any, provider: str, address: str) -> None:
    asked = read_asked(Outgoing(OPERATION, client, {}))
    assert (asked.provider, asked.address) == (provider, address)


@pytest.mark.parametrize(("tier", "said"), [(None, None), ("auto", None), ("flex", "flex"), (3, None)])
def test_a_tier_is_said_where_one_was_chosen(tier: Any, said: str | None) -> None:
    assert read_asked(Outgoing(OPERATION, OpenAI(api_key="k"), {"service_tier": tier})).service_tier == said


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
