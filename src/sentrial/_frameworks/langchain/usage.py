"""The tokens of an answer: as LangChain counts them, in the same words for every provider, else in the provider's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sentrial._providers.usage import read_stated_cost, read_web_searches, read_whole_output
from sentrial._providers.values import count, fields_of, total
from sentrial.types import Usage

# Whose total is the API's own, while the input lacks what the API's own tools have read (langchain-google-genai 3).
_TOTAL_HOLDS_MORE_INPUT = ("google_genai",)
_INPUT = (
    "input_tokens", "prompt_tokens", "prompt_token_count", "prompt_eval_count", "inputTokens", "input_token_count",
)  # fmt: skip
_OUTPUT = (
    "output_tokens", "completion_tokens", "candidates_token_count", "eval_count", "outputTokens",
    "generated_token_count",
)  # fmt: skip
_TOTAL = ("total_tokens", "total_token_count", "totalTokens")
_TIERS = ("", "priority_", "flex_")


def is_from_cache(usage_metadata: Any) -> bool:
    """Whether the answer came from LangChain's cache: it says so by a cost of nothing."""
    return fields_of(usage_metadata).get("total_cost") == 0


def read_usage_metadata(usage_metadata: Any, model_provider: object = None) -> Usage | None:
    """LangChain's ``UsageMetadata``. ``model_provider``: which of its packages has counted."""
    usage = fields_of(usage_metadata)
    asked, answered = fields_of(usage.get("input_token_details")), fields_of(usage.get("output_token_details"))
    given, gave = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    if given is None and gave is None:
        return None
    whole = count(usage.get("total_tokens"))
    if model_provider in _TOTAL_HOLDS_MORE_INPUT and whole is not None and given is not None:
        given = max(given, whole - (gave or 0))
    hour = count(asked.get("ephemeral_1h_input_tokens"))
    lasting = total((count(asked.get("ephemeral_5m_input_tokens")), hour))
    written = _of_tier(asked, "cache_creation")
    thoughts = _of_tier(answered, "reasoning")
    return Usage(
        input_tokens=given,
        output_tokens=read_whole_output(gave, thoughts, given, whole),
        cache_read_tokens=_of_tier(asked, "cache_read"),
        # Some versions say the sum beside its parts, some say zero there.
        cache_write_tokens=written if lasting is None else max(written or 0, lasting),
        reasoning_tokens=thoughts,
        text_input_tokens=count(asked.get("text")),
        image_input_tokens=count(asked.get("image")),
        audio_input_tokens=count(asked.get("audio")),
        text_output_tokens=count(answered.get("text")),
        image_output_tokens=count(answered.get("image")),
        audio_output_tokens=count(answered.get("audio")),
        hour_cache_write_tokens=hour or None,
    )


def read_counts(value: Any) -> Usage | None:
    """A provider's own count, as integrations that know no ``UsageMetadata`` pass it on."""
    usage = fields_of(value)
    given, gave = _first(usage, _INPUT), _first(usage, _OUTPUT)
    if given is None and gave is None:
        undivided = _first(usage, _TOTAL)
        return Usage(undivided_tokens=undivided) if undivided is not None else None
    asked = fields_of(usage.get("prompt_tokens_details") or usage.get("input_tokens_details"))
    answered = fields_of(usage.get("completion_tokens_details") or usage.get("output_tokens_details"))
    thoughts = _first(answered, ("reasoning_tokens", "thinking_tokens"))
    if thoughts is None:
        thoughts = count(usage.get("reasoning_tokens"))
    read, written = count(usage.get("cache_read_input_tokens")), count(usage.get("cache_creation_input_tokens"))
    if given is not None and "input_tokens" in usage:
        # Anthropic does not count as input what was read from its cache or written to it.
        given = total((given, read, written))
    return Usage(
        input_tokens=given,
        output_tokens=read_whole_output(gave, thoughts, given, _first(usage, _TOTAL)),
        cache_read_tokens=_first(asked, ("cached_tokens",)) if read is None else read,
        cache_write_tokens=_first(asked, ("cache_write_tokens",)) if written is None else written,
        reasoning_tokens=thoughts,
        audio_input_tokens=count(asked.get("audio_tokens")),
        audio_output_tokens=count(answered.get("audio_tokens")),
    )


def read_charges(usage: Usage, told: Iterable[Any]) -> Usage:
    """``usage`` with what the provider says of charges besides tokens: LangChain passes that on as it was ``told``."""
    for each in map(fields_of, told):
        searches, dollars = read_web_searches(each), read_stated_cost(each)
        if searches is not None or dollars is not None:
            return usage._replace(web_searches=searches, stated_cost=dollars)
    return usage


def _of_tier(details: Mapping[str, Any], name: str) -> int | None:
    """What is billed at another price has another name: ``flex_cache_read``."""
    if not details:
        return None
    return total(count(details.get(f"{tier}{name}")) for tier in _TIERS)


def _first(usage: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((found for name in names if (found := count(usage.get(name))) is not None), None)
