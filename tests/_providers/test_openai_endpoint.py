"""Whom OpenAI's client asks."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

from sentrial._patch.spec import Outgoing
from sentrial._providers.openai.chat import OPERATION
from sentrial._providers.openai.endpoint import read_call_endpoint

AZURE = {"api_key": "k", "api_version": "2024-10-21"}
GATEWAY = {"api_key": "k", "aws_region": "us-east-1", "base_url": "http://gateway.internal/v1"}
# The oldest client has none for Bedrock.
BEDROCK = [
    (getattr(openai, kind)(**GATEWAY), "aws.bedrock", "gateway.internal")
    for kind in ("BedrockOpenAI", "AsyncBedrockOpenAI")
    if hasattr(openai, kind)
]


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
        *BEDROCK,
    ],
)
def test_the_provider_is_whoever_is_asked(client: Any, provider: str, address: str) -> None:
    endpoint = read_call_endpoint(Outgoing(OPERATION, client, {}))
    assert (endpoint.provider, endpoint.address) == (provider, address)


@pytest.mark.parametrize(("tier", "said"), [(None, None), ("auto", None), ("flex", "flex"), (3, None)])
def test_a_tier_is_said_where_one_was_chosen(tier: Any, said: str | None) -> None:
    assert read_call_endpoint(Outgoing(OPERATION, OpenAI(api_key="k"), {"service_tier": tier})).service_tier == said
