"""Why a scenario's spans do not have an attribute that the conventions list: by client and span type."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.covered import EMBEDDINGS, FETCHING, INFERENCE, TOOL

_PROMPTS = "the API has no stored prompts that a request names"
_NO_PARAMETER = "the API has no such parameter"
_UNDIVIDED_CACHE = "the API tells how many tokens came from the cache, not of which modality they were"
_NO_MODALITIES = "the API counts tokens, and does not divide them by modality"
_CONVERSATION = "the client does not tell a tool whose conversation it serves; the session's id is on the span"

REASONS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("openai", INFERENCE): {
        "gen_ai.usage.audio.cache_read.input_tokens": _UNDIVIDED_CACHE,
        "gen_ai.usage.image.cache_read.input_tokens": _UNDIVIDED_CACHE,
        "gen_ai.usage.text.cache_read.input_tokens": _UNDIVIDED_CACHE,
        "gen_ai.usage.image.output_tokens": "the API does not tell which tokens of an answer were a picture's",
    },
    ("openai", EMBEDDINGS): {},
    ("openai", FETCHING): {
        "gen_ai.system_instructions": "what was asked stands on the span of the call that asked it",
        "gen_ai.tool.definitions": "what was asked stands on the span of the call that asked it",
    },
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
    ("anthropic", TOOL): {"gen_ai.conversation.id": _CONVERSATION},
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
    ("google", TOOL): {"gen_ai.conversation.id": _CONVERSATION},
}
