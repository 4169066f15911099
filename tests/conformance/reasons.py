"""Why a scenario's spans do not have an attribute that the conventions list: by client and span type."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.covered import AGENT, EMBEDDINGS, FETCHING, INFERENCE, RETRIEVAL, TOOL, WORKFLOW

_PROMPTS = "the API has no stored prompts that a request names"
_NO_PARAMETER = "the API has no such parameter"
_UNDIVIDED_CACHE = "the API tells how many tokens came from the cache, not of which modality they were"
_NO_MODALITIES = "the API counts tokens, and does not divide them by modality"
_ASKED_BEFORE = "what was asked stands on the span of the call that asked it"
_NOT_BY_LANGCHAIN = "LangChain does not tell it; it is there where the provider's client is patched"
_UNDIVIDED = {
    "gen_ai.usage.audio.cache_read.input_tokens": _UNDIVIDED_CACHE,
    "gen_ai.usage.image.cache_read.input_tokens": _UNDIVIDED_CACHE,
    "gen_ai.usage.text.cache_read.input_tokens": _UNDIVIDED_CACHE,
    "gen_ai.usage.image.output_tokens": "pictures are made by a tool of the API's, whose tokens are told apart",
}

REASONS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("openai", INFERENCE): _UNDIVIDED,
    ("openai", EMBEDDINGS): {},
    ("openai", FETCHING): {
        "gen_ai.system_instructions": _ASKED_BEFORE,
        "gen_ai.tool.definitions": _ASKED_BEFORE,
    },
    ("openai", TOOL): {},
    ("anthropic", INFERENCE): {
        "gen_ai.prompt.name": _PROMPTS,
        "gen_ai.prompt.variable": _PROMPTS,
        "gen_ai.prompt.version": _PROMPTS,
        "gen_ai.request.choice.count": _NO_PARAMETER,
        "gen_ai.request.frequency_penalty": _NO_PARAMETER,
        "gen_ai.request.presence_penalty": _NO_PARAMETER,
        "gen_ai.request.seed": _NO_PARAMETER,
        **{
            f"gen_ai.usage.{modality}.{kind}": _NO_MODALITIES
            for modality in ("audio", "image", "text")
            for kind in ("cache_read.input_tokens", "input_tokens", "output_tokens")
        },
    },
    ("anthropic", TOOL): {},
    ("google", INFERENCE): {
        "gen_ai.conversation.compacted": "the API does not shorten a conversation by itself",
        "gen_ai.prompt.name": _PROMPTS,
        "gen_ai.prompt.variable": _PROMPTS,
        "gen_ai.prompt.version": _PROMPTS,
        "gen_ai.request.previous_response.id": "generate_content is sent the whole conversation each time",
        "gen_ai.usage.cache_write.input_tokens": "caches are made by calls of their own; an answer tells reads only",
    },
    ("google", EMBEDDINGS): {
        "gen_ai.request.encoding_formats": _NO_PARAMETER,
        "gen_ai.response.model": "the API does not say which model answered",
    },
    ("google", TOOL): {},
    ("langchain", INFERENCE): {
        **_UNDIVIDED,
        "gen_ai.conversation.compacted": "it is there where LangChain asks the API for it: no scenario does",
    },
    ("langchain", TOOL): {},
    ("langchain", AGENT): {
        "gen_ai.agent.description": "an agent of LangChain's has none",
        "gen_ai.data_source.id": "an agent of LangChain's has none of its own; it is on the span of the search",
        "gen_ai.output.type": "of several calls each may have its own",
    },
    ("langchain", WORKFLOW): {},
    ("langchain", RETRIEVAL): {
        "gen_ai.request.model": "a retriever tells no model; the span of the embedding inside has it",
        "server.address": "a retriever does not tell where it searches",
        "server.port": "a retriever does not tell where it searches",
    },
    ("unpatched", INFERENCE): {
        **_UNDIVIDED,
        "gen_ai.conversation.compacted": _NOT_BY_LANGCHAIN,
        "gen_ai.prompt.name": _NOT_BY_LANGCHAIN,
        "gen_ai.prompt.variable": _NOT_BY_LANGCHAIN,
        "gen_ai.prompt.version": _NOT_BY_LANGCHAIN,
        "gen_ai.request.top_k": "OpenAI's API, which the scenarios ask, has no such parameter",
        "gen_ai.system_instructions": "LangChain gives them as a message of the conversation",
        "gen_ai.usage.image.input_tokens": _NOT_BY_LANGCHAIN,
        "gen_ai.usage.text.input_tokens": _NOT_BY_LANGCHAIN,
        "gen_ai.usage.text.output_tokens": _NOT_BY_LANGCHAIN,
    },
}
