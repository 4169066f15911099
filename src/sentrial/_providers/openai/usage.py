"""What the services that speak OpenAI's APIs say of tokens."""

from __future__ import annotations

from typing import Any

from sentrial._providers.usage import read_stated_cost, read_whole_output
from sentrial._providers.values import all_fields, count, total
from sentrial.types import Usage


def read_usage(value: Any) -> Usage | None:
    """The tokens, in the words of any of the APIs; ``None`` where nothing was said of them."""
    if not value:
        return None
    usage = all_fields(value)
    get = usage.get
    asked = all_fields(get("prompt_tokens_details") or get("input_tokens_details"))
    answered = all_fields(get("completion_tokens_details") or get("output_tokens_details"))
    cached = all_fields(asked.get("cached_tokens_details"))
    given = _first(get("prompt_tokens"), get("input_tokens"))
    output = _first(get("completion_tokens"), get("output_tokens"))
    thoughts = _first(answered.get("reasoning_tokens"), get("reasoning_tokens"))
    read, written = _read_words_of_anthropic(usage, given)
    return Usage(
        input_tokens=given,
        output_tokens=read_whole_output(output, thoughts, given, get("total_tokens")),
        # DeepSeek and Moonshot say it beside the sums.
        cache_read_tokens=_first(
            asked.get("cached_tokens"), get("prompt_cache_hit_tokens"), get("cached_tokens"), read
        ),
        # The second word is LiteLLM's.
        cache_write_tokens=_first(asked.get("cache_write_tokens"), asked.get("cache_creation_tokens"), written),
        reasoning_tokens=thoughts,
        text_input_tokens=count(asked.get("text_tokens")),
        image_input_tokens=count(asked.get("image_tokens")),
        audio_input_tokens=count(asked.get("audio_tokens")),
        text_output_tokens=count(answered.get("text_tokens")),
        image_output_tokens=count(answered.get("image_tokens")),
        audio_output_tokens=count(answered.get("audio_tokens")),
        text_cache_read_tokens=count(cached.get("text_tokens")),
        image_cache_read_tokens=count(cached.get("image_tokens")),
        audio_cache_read_tokens=count(cached.get("audio_tokens")),
        stated_cost=read_stated_cost(usage),
    )


def _read_words_of_anthropic(usage: dict[str, Any], given: int | None) -> tuple[int | None, int | None]:
    """What was read from the cache and written to it, as LiteLLM and Databricks pass it on: parts of what was
    ``given``. What cannot be that is of another count."""
    read, written = count(usage.get("cache_read_input_tokens")), count(usage.get("cache_creation_input_tokens"))
    return (read, written) if (total([read, written]) or 0) <= (given or 0) else (None, None)


def _first(*values: Any) -> int | None:
    for value in values:
        number = count(value)
        if number is not None:
            return number
    return None
