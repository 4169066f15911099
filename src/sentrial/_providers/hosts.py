"""Who answers at a base URL: many serve OpenAI's API, and prices and limits depend on whom one asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

# The well-known values of the conventions' provider name, by the end of the host name (with a dot put before it).
# Regional hosts of Vertex AI have a dash there: europe-west4-aiplatform.googleapis.com.
_PROVIDERS = (
    (".openai.azure.com", "azure.ai.openai"),
    (".cognitiveservices.azure.com", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    (".inference.ai.azure.com", "azure.ai.inference"),
    (".openai.com", "openai"),
    (".groq.com", "groq"),
    (".deepseek.com", "deepseek"),
    (".mistral.ai", "mistral_ai"),
    (".perplexity.ai", "perplexity"),
    (".x.ai", "x_ai"),
    (".anthropic.com", "anthropic"),
    (".cohere.ai", "cohere"),
    (".cohere.com", "cohere"),
    (".moonshot.ai", "moonshot_ai"),
    (".moonshot.cn", "moonshot_ai"),
    (".generativelanguage.googleapis.com", "gcp.gemini"),
    ("-aiplatform.googleapis.com", "gcp.vertex_ai"),
    (".aiplatform.googleapis.com", "gcp.vertex_ai"),
    (".ml.cloud.ibm.com", "ibm.watsonx.ai"),
    (".amazonaws.com", "aws.bedrock"),
)
# Those whom the conventions have no value for, by the names they go by.
_OTHERS = (
    (".openrouter.ai", "openrouter"),
    (".together.xyz", "together_ai"),
    (".together.ai", "together_ai"),
    (".fireworks.ai", "fireworks_ai"),
    (".cerebras.ai", "cerebras"),
    (".huggingface.co", "huggingface"),
    (".ollama.com", "ollama"),
)
# Domains that others share: there the host's name says it, too.
_BY_START = (
    ("bedrock", ".api.aws", "aws.bedrock"),
    ("aiplatform.", ".rep.googleapis.com", "gcp.vertex_ai"),
)
# A server on the user's own machines says who it is by its port alone.
_BY_PORT = {11434: "ollama"}
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a client sends its calls. ``provider`` is ``None`` where the host is not a known one."""

    provider: str | None = None
    address: str | None = None
    port: int | None = None


@lru_cache(maxsize=256)
def read_endpoint(base_url: str) -> Endpoint:
    """The endpoint behind a client's base URL; nothing is known of a URL that is none."""
    try:
        url = urlsplit(base_url)
        host, port = url.hostname, url.port
    except ValueError:
        return Endpoint()
    if not host:
        return Endpoint()
    return Endpoint(_read_provider(host) or _BY_PORT.get(port or 0), host, port or _PORTS.get(url.scheme))


def _read_provider(host: str) -> str | None:
    dotted = f".{host}"
    for start, end, provider in _BY_START:
        if host.startswith(start) and host.endswith(end):
            return provider
    return next((provider for end, provider in (*_PROVIDERS, *_OTHERS) if dotted.endswith(end)), None)
