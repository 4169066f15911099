from __future__ import annotations

from typing import Any

import pytest

from sentrial._frameworks.langchain.server import read_server


@pytest.mark.parametrize(
    ("ls_provider", "fields", "provider"),
    [
        ("azure", {"azure_endpoint": "https://x.openai.azure.com/"}, "azure.ai.openai"),
        ("google_vertexai", {}, "gcp.vertex_ai"),
        ("google_genai", {"vertexai": True}, "gcp.vertex_ai"),
        ("amazon_bedrock", {}, "aws.bedrock"),
        ("mistral", {}, "mistral_ai"),
        ("mistralai", {}, "mistral_ai"),
        ("xai", {}, "x_ai"),
        ("groq", {}, "groq"),
        ("ollama", {}, "ollama"),
        ("Cohere", {}, "cohere"),
        ("openai", {"openai_api_base": "https://api.groq.com/openai/v1"}, "groq"),
        ("openai", {"openai_api_base": "http://gateway.internal/v1"}, "openai"),
        ("anthropic", {"anthropic_api_url": "https://x.services.ai.azure.com/anthropic"}, "anthropic"),
        ("anthropic", {"anthropic_api_url": "https://api.moonshot.ai/anthropic"}, "moonshot_ai"),
    ],
)
def test_a_provider_has_the_conventions_name(ls_provider: str, fields: dict[str, Any], provider: str) -> None:
    assert read_server({"kwargs": fields}, {}, {"ls_provider": ls_provider}).provider == provider


def test_without_langsmith_s_name_the_class_tells_and_without_a_class_nobody() -> None:
    assert read_server({"id": ["langchain", "ChatMistralAI"]}, {}, {}).provider == "mistral_ai"
    assert read_server({}, {}, {}).provider == "unknown"
