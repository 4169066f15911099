"""Who serves a model, by the name that LangSmith gives them, and where, as far as the model's own fields say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sentrial._providers.hosts import read_endpoint
from sentrial._providers.values import mapping, string
from sentrial._spans.cost import UNKNOWN_PROVIDER

# The conventions' names by LangSmith's, which a model that sets none has from its class: ChatMistralAI is "mistralai".
# What stands in neither is its own name.
_PROVIDERS = {
    "openai-codex": "openai",
    "azure": "azure.ai.openai",
    "azureopenai": "azure.ai.openai",
    "azureaichatcompletions": "azure.ai.inference",
    "azureaiopenaiapi": "azure.ai.inference",
    "azure_ai": "azure.ai.inference",
    "google_genai": "gcp.gemini",
    "googlegenerativeai": "gcp.gemini",
    "googlegenerativeaillm": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "anthropicvertex": "gcp.vertex_ai",
    "anthropicllm": "anthropic",
    "amazon_bedrock": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "bedrockconverse": "aws.bedrock",
    "bedrockllm": "aws.bedrock",
    "bedrocknovasonic": "aws.bedrock",
    "anthropicbedrock": "aws.bedrock",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
    "watsonx": "ibm.watsonx.ai",
    "watsonxllm": "ibm.watsonx.ai",
    "ibm": "ibm.watsonx.ai",
    "moonshot": "moonshot_ai",
    "moonshotchat": "moonshot_ai",
    "together": "together_ai",
    "fireworks": "fireworks_ai",
    "ollamallm": "ollama",
}
# The APIs that others speak too: there the host tells who answers.
_SPOKEN_BY_OTHERS = ("openai", "anthropic")
_ADDRESSES = (
    "azure_endpoint", "base_url", "openai_api_base", "anthropic_api_url", "api_base", "endpoint_url", "endpoint", "url",
    "server_url",
)  # fmt: skip


_ADDRESS_KEYS = frozenset((*_ADDRESSES, "client_options"))


class Server(NamedTuple):
    """Who serves a model, and where; ``None`` is not said. ``speaks``: whose API it is, in LangSmith's words."""

    provider: str
    speaks: str | None
    address: str | None = None
    port: int | None = None


def read_server(
    serialized: Mapping[str, Any], invocation_params: Mapping[str, Any], metadata: Mapping[str, Any]
) -> Server:
    """Who serves a model, from what LangChain tells of the model and of the call."""
    speaks = string(metadata.get("ls_provider")) or _by_class(serialized)
    name = _PROVIDERS.get(speaks.lower(), speaks.lower()) if speaks else UNKNOWN_PROVIDER
    fields = mapping(serialized.get("kwargs"))
    if name == "gcp.gemini" and fields.get("vertexai") is True:
        name = "gcp.vertex_ai"
    address = _read_address(fields, invocation_params)
    if address is None:
        return Server(name, speaks)
    endpoint = read_endpoint(address if "://" in address else f"https://{address}")
    host = endpoint.provider
    if host is not None and name in _SPOKEN_BY_OTHERS and not (name == "anthropic" and host.startswith("azure")):
        name = host
    return Server(name, speaks, endpoint.address, endpoint.port)


def _by_class(serialized: Mapping[str, Any]) -> str | None:
    """As LangChain names the provider of a model that says none itself."""
    path = serialized.get("id")
    name = path[-1] if isinstance(path, list) and path else serialized.get("name")
    return re.sub("^Chat|Chat$|LLM$", "", name).lower() or None if isinstance(name, str) else None


def _read_address(*fields: Mapping[str, Any]) -> str | None:
    for said in fields:
        if _ADDRESS_KEYS.isdisjoint(said):
            continue
        options = mapping(said.get("client_options"))
        found = (*(said.get(key) for key in _ADDRESSES), options.get("api_endpoint"))
        address = next((each for each in found if string(each)), None)
        if address is not None:
            return str(address)
    return None
