"""Who answers at a base URL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sentrial._providers import hosts
from sentrial._providers.hosts import Endpoint, read_endpoint


@pytest.mark.parametrize(
    ("url", "provider", "address", "port"),
    [
        ("https://api.openai.com/v1/", "openai", "api.openai.com", 443),
        ("https://eu.api.openai.com/v1", "openai", "eu.api.openai.com", 443),
        ("https://team.openai.azure.com/openai/", "azure.ai.openai", "team.openai.azure.com", 443),
        ("https://models.inference.ai.azure.com", "azure.ai.inference", "models.inference.ai.azure.com", 443),
        ("https://api.groq.com/openai/v1", "groq", "api.groq.com", 443),
        ("https://api.deepseek.com", "deepseek", "api.deepseek.com", 443),
        ("https://api.mistral.ai/v1", "mistral_ai", "api.mistral.ai", 443),
        ("https://api.perplexity.ai", "perplexity", "api.perplexity.ai", 443),
        ("https://api.x.ai/v1", "x_ai", "api.x.ai", 443),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            "gcp.gemini",
            "generativelanguage.googleapis.com",
            443,
        ),
        (
            "https://europe-west4-aiplatform.googleapis.com/v1",
            "gcp.vertex_ai",
            "europe-west4-aiplatform.googleapis.com",
            443,
        ),
        ("https://aiplatform.us.rep.googleapis.com/v1", "gcp.vertex_ai", "aiplatform.us.rep.googleapis.com", 443),
        ("https://storage.us.rep.googleapis.com/v1", None, "storage.us.rep.googleapis.com", 443),
        (
            "https://bedrock-mantle.us-east-1.api.aws/openai/v1",
            "aws.bedrock",
            "bedrock-mantle.us-east-1.api.aws",
            443,
        ),
        # Anthropic's own service on that cloud.
        (
            "https://aws-external-anthropic.us-east-1.api.aws",
            None,
            "aws-external-anthropic.us-east-1.api.aws",
            443,
        ),
        ("https://openrouter.ai/api/v1", "openrouter", "openrouter.ai", 443),
        ("https://api.together.xyz/v1", "together_ai", "api.together.xyz", 443),
        ("https://api.fireworks.ai/inference/v1", "fireworks_ai", "api.fireworks.ai", 443),
        ("https://api.moonshot.ai/v1", "moonshot_ai", "api.moonshot.ai", 443),
        ("https://api.cerebras.ai/v1", "cerebras", "api.cerebras.ai", 443),
        ("https://router.huggingface.co/v1", "huggingface", "router.huggingface.co", 443),
        ("https://team.services.ai.azure.com/openai/v1/", "azure.ai.inference", "team.services.ai.azure.com", 443),
        ("http://localhost:11434/v1", "ollama", "localhost", 11434),
        ("http://gpu-box:11434/v1", "ollama", "gpu-box", 11434),
        ("http://localhost:8000/v1", None, "localhost", 8000),
        ("http://[::1]:8000/v1", None, "::1", 8000),
        ("http://gateway.internal/v1", None, "gateway.internal", 80),
        ("https://notopenai.com/v1", None, "notopenai.com", 443),
        ("https://openai.com.example.org/v1", None, "openai.com.example.org", 443),
    ],
)
def test_the_host_tells_the_provider(url: str, provider: str | None, address: str, port: int) -> None:
    assert read_endpoint(url) == Endpoint(provider, address, port)


@pytest.mark.parametrize("url", ["", "no url", "http://host:port/", "/v1"])
def test_of_what_is_no_url_nothing_is_known(url: str) -> None:
    assert read_endpoint(url) == Endpoint()


def test_the_names_are_those_of_the_conventions(shared: Path) -> None:
    registry = json.loads((shared / "semconv" / "genai-registry.json").read_text())
    known = registry["attributes"]["gen_ai.provider.name"]["members"]
    assert {provider for *_, provider in (*hosts._PROVIDERS, *hosts._BY_START)} <= set(known)
    assert not {provider for _, provider in hosts._OTHERS} & set(known)
