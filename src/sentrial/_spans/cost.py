"""What a model call costs: as its provider says, or else by ``genai-prices``, a maintained price database. An unknown
model has no cost, no guess.

Loading that takes 200 ms and one price about 70 us, so that it runs on our own thread, or where somebody reads a total.
"""

from __future__ import annotations

import datetime
import logging
import math
import time
from collections.abc import Sequence

from sentrial import _guard, _late_imports
from sentrial._spans import amounts, failure
from sentrial._totals import PricedCall
from sentrial.types import Usage

UNKNOWN_PROVIDER = "unknown"
"""The provider of a call whose caller names none: the model's name alone says whose price it is, if anybody's."""

# Providers that the conventions and genai-prices call by different names.
_NAMES = {"x_ai": "x-ai", "azure.ai.inference": "azure", "gcp.gen_ai": "google", "fireworks_ai": "fireworks"}


def price(call: PricedCall) -> float | None:
    """Dollars that ``call`` cost; ``None`` for a model that nobody has a price for."""
    if not call.priced:
        # With the import: the prices themselves are loaded by the first one that is asked for.
        with _late_imports.undisturbed():
            call.cost = _price(call)
        call.priced = True
    return call.cost


def total(calls: Sequence[PricedCall], named: Sequence[float]) -> float | None:
    """Dollars of ``calls`` that have a price, and of the costs that callers ``named``; ``None`` if there is none."""
    known = [*named, *(cost for cost in map(price, calls) if cost is not None)]
    return sum(known) if known else None


@_guard.guarded("quoting a price", lambda: math.nan)
def quote(provider: str, model: str, input_tokens: int, output_tokens: int) -> float:
    """Dollars of a call, for a caller who wants a number: NaN, which spoils no sum unseen, where there is no price."""
    usage = Usage(input_tokens=_count(input_tokens), output_tokens=_count(output_tokens))
    dollars = price(PricedCall(provider, failure.read_words(model), usage, time.time_ns()))
    if dollars is not None:
        return dollars
    _guard.say_once(
        f"no price {provider} {failure.read_words(model)}"[:200],
        "sentrial: there is no price for the model %s of %s with %s and %s tokens; its cost is NaN. Prices need "
        'pip install "sentrial-otel[cost]", and the name that the provider gives the model.',
        _guard.shown(model),
        provider,
        _guard.shown(input_tokens),
        _guard.shown(output_tokens),
    )
    return math.nan


def _count(tokens: object) -> int | None:
    number = amounts.number(tokens)
    return int(number) if number is not None and number >= 0 else None


def _price(call: PricedCall) -> float | None:
    usage = call.usage
    if usage.stated_cost is not None:
        return usage.stated_cost
    try:
        import genai_prices
    except ImportError:
        _guard.say_once(
            "cost extra",
            'sentrial: model calls have no cost without genai-prices: pip install "sentrial-otel[cost]"',
            level=logging.INFO,
        )
        return None
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    try:
        result = genai_prices.calc_price(
            genai_prices.Usage(
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cache_read_tokens=usage.cache_read_tokens,
                cache_write_tokens=usage.cache_write_tokens,
                cache_write_1h_tokens=usage.hour_cache_write_tokens,
                cache_audio_read_tokens=_cached_audio(usage),
                input_audio_tokens=usage.audio_input_tokens,
                output_audio_tokens=usage.audio_output_tokens,
                output_image_tokens=usage.image_output_tokens,
                web_searches=usage.web_searches,
            ),
            model_ref=call.model,
            provider_id=None if call.provider == UNKNOWN_PROVIDER else _NAMES.get(call.provider, call.provider),
            genai_request_timestamp=datetime.datetime.fromtimestamp(call.at / 1e9, datetime.timezone.utc),
        )
    except LookupError:
        return None
    except ValueError as error:
        # A usage that contradicts itself (more cached than input tokens) has no price.
        _guard.say_once(f"cost {call.model}", "sentrial: a call of %s cannot be priced: %s", call.model, error)
        return None
    return float(result.total_price)


def _cached_audio(usage: Usage) -> int | None:
    """Those of the cached tokens that are audio, which without them has no price.

    Where nobody says how many, as few as can be: to read text from the cache saves less.
    """
    heard, cached = usage.audio_input_tokens, usage.cache_read_tokens
    if usage.audio_cache_read_tokens is not None or not heard or not cached:
        return usage.audio_cache_read_tokens
    return max(0, heard + cached - (usage.input_tokens or 0))
