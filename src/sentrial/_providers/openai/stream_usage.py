"""The tokens of OpenAI's streams, chat and text: they come in a chunk of their own, if the request asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentrial._patch.spec import Outgoing, StreamUsage
from sentrial._providers.openai.endpoint import read_call_endpoint
from sentrial._providers.stainless import is_raw
from sentrial._providers.values import fields_of, mapping

# Both say the tokens of every stream. Mistral refuses a request that asks; and what OpenRouter sends, the program has
# got all along, so that nothing of it may be taken out.
_SAY_THEM_ANYWAY = ("mistral_ai", "openrouter")


def ask(outgoing: Outgoing) -> Mapping[str, Any] | None:
    """``stream_options`` with what the program says in it, and the tokens asked for."""
    body = outgoing.body
    options = mapping(body.get("stream_options"))
    if "include_usage" in options or body.get("stream") is not True or is_raw(outgoing):
        return None
    # Azure refuses a request that has ``data_sources`` and asks for tokens.
    if "data_sources" in body or read_call_endpoint(outgoing).provider in _SAY_THEM_ANYWAY:
        return None
    return {"stream_options": {**options, "include_usage": True}}


def take_out(chunk: Any) -> bool:
    """The chunk that has the tokens and no choice; in the others, the mention of a ``usage`` that is null."""
    fields = fields_of(chunk)
    if fields.get("usage"):
        return not fields.get("choices")
    given = getattr(chunk, "model_fields_set", None)
    if given is not None:
        given.discard("usage")
    return False


STREAM_USAGE = StreamUsage(ask, take_out)
