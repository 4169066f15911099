"""What all kinds of calls that OpenAI's client makes have in common: whom they ask, and what they cost."""

from __future__ import annotations

from typing import Any, NamedTuple

from sentrial._patch.spec import Outgoing
from sentrial._providers.hosts import read_endpoint
from sentrial._providers.values import fields_of, integer, string
from sentrial.types import Usage


class Asked(NamedTuple):
    """Who is asked, and in which tier of service."""

    provider: str
    address: str | None
    port: int | None
    service_tier: str | None


def read_asked(outgoing: Outgoing) -> Asked:
    """Azure's clients name their cloud themselves, whatever gateway they are sent through."""
    endpoint = read_endpoint(str(outgoing.client.base_url))
    azure = "Azure" in type(outgoing.client).__name__
    tier = string(outgoing.body.get("service_tier"))
    return Asked(
        "azure.ai.openai" if azure else endpoint.provider or "openai",
        endpoint.address,
        endpoint.port,
        tier if tier != "auto" else None,
    )


def read_usage(value: Any) -> Usage | None:
    """The tokens, in the words of any of the APIs; ``None`` where nothing was said of them."""
    if not value:
        return None
    usage = with_extras(value)
    get = usage.get
    asked = with_extras(get("prompt_tokens_details") or get("input_tokens_details"))
    answered = with_extras(get("completion_tokens_details") or get("output_tokens_details"))
    cached = with_extras(asked.get("cached_tokens_details"))
    return Usage(
        input_tokens=_first(get("prompt_tokens"), get("input_tokens")),
        output_tokens=_first(get("completion_tokens"), get("output_tokens")),
        # DeepSeek and Moonshot say it beside the sums.
        cache_read_tokens=_first(asked.get("cached_tokens"), get("prompt_cache_hit_tokens"), get("cached_tokens")),
        cache_write_tokens=integer(asked.get("cache_write_tokens")),
        reasoning_tokens=_first(answered.get("reasoning_tokens"), get("reasoning_tokens")),
        text_input_tokens=integer(asked.get("text_tokens")),
        image_input_tokens=integer(asked.get("image_tokens")),
        audio_input_tokens=integer(asked.get("audio_tokens")),
        text_output_tokens=integer(answered.get("text_tokens")),
        image_output_tokens=integer(answered.get("image_tokens")),
        audio_output_tokens=integer(answered.get("audio_tokens")),
        text_cache_read_tokens=integer(cached.get("text_tokens")),
        image_cache_read_tokens=integer(cached.get("image_tokens")),
        audio_cache_read_tokens=integer(cached.get("audio_tokens")),
    )


def with_extras(value: Any) -> dict[str, Any]:
    """The fields of an object of the client's, those included that the client's version has no type for."""
    fields = fields_of(value)
    extra = getattr(value, "__pydantic_extra__", None)
    return {**fields, **extra} if extra else fields


def _first(*values: Any) -> int | None:
    return next((value for value in values if integer(value) is not None), None)
