"""Anthropic's messages, and the services that speak that API: its own, those of other clouds, those of other makers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sentrial._patch.spec import Operation, Outgoing
from sentrial._providers.anthropic.blocks import read_messages, read_system, read_tools
from sentrial._providers.anthropic.stream import MessageAccumulator
from sentrial._providers.hosts import read_endpoint
from sentrial._providers.usage import read_web_searches
from sentrial._providers.values import (
    UNFINISHED,
    all_fields,
    count,
    integer,
    listed,
    mapping,
    number,
    string,
    strings,
    total,
)
from sentrial.types import Deferred, LlmRequest, LlmResponse, Usage

# The names of the clients' classes for other clouds. Microsoft's has the API of Anthropic's own.
_CLOUDS = (("Bedrock", "aws.bedrock"), ("Vertex", "gcp.vertex_ai"), ("Foundry", "anthropic"))
_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
}
_GUARDRAIL = "x-amzn-bedrock-guardrailidentifier"


# --- requests ------------------------------------------------------------------------------------------------------


def read_request(outgoing: Outgoing) -> LlmRequest:
    """What is about to be asked."""
    get = outgoing.body.get
    request = begin_request(outgoing)
    config = mapping(get("output_config"))
    messages, system, tools = listed(get("messages")), get("system"), listed(get("tools"))
    if not isinstance(system, str):
        system = listed(system)
    whole = messages is not None and _is_whole(outgoing, messages)
    return request._replace(
        max_tokens=integer(get("max_tokens")),
        reasoning_level=string(config.get("effort")),
        output_type=_read_output_type(config.get("format"), get("output_format")),
        previous_response_id=string(mapping(get("thread")).get("previous_message_id")),
        system=Deferred(system, read_system) if system else None,
        input=Deferred(messages, read_messages) if whole else None,
        tools=Deferred(tools, read_tools) if tools else None,
        unread=not whole,
    )


def begin_request(outgoing: Outgoing) -> LlmRequest:
    """What all kinds of calls say in the same words."""
    get, client = outgoing.body.get, outgoing.client
    endpoint = read_endpoint(str(client.base_url))
    kind: Any = type(client)
    return LlmRequest(
        operation=outgoing.operation.name,
        provider=_read_provider(kind, endpoint.provider),
        model=string(get("model")),
        stream=outgoing.stream,
        server_address=endpoint.address,
        server_port=endpoint.port,
        temperature=number(get("temperature")),
        top_p=number(get("top_p")),
        top_k=integer(get("top_k")),
        stop_sequences=strings(get("stop_sequences")),
        # The newer clients have an option for it, which is there for the spans that they make themselves.
        conversation_id=string(mapping(getattr(client, "_open_telemetry", None)).get("conversation_id")),
        guardrail_id=_read_guardrail(outgoing.headers) or _read_guardrail(getattr(client, "_custom_headers", None)),
    )


@lru_cache(maxsize=128)
def _read_provider(kind: type, host: str | None) -> str:
    names = [base.__name__ for base in kind.__mro__]
    cloud = next((provider for word, provider in _CLOUDS for name in names if word in name), None)
    if cloud is None and host is not None and not host.startswith("azure"):
        cloud = host
    return cloud or "anthropic"


def _read_guardrail(headers: Any) -> str | None:
    return next((string(value) for name, value in mapping(headers).items() if name.lower() == _GUARDRAIL), None)


def _read_output_type(*formats: Any) -> str | None:
    return "json" if any(mapping(each).get("type") == "json_schema" for each in formats) else None


def _is_whole(outgoing: Outgoing, messages: Sequence[Any]) -> bool:
    """Whether all content can be looked at: an iterator in it is the program's, and is left alone."""
    contents = [message.get("content") for message in messages if isinstance(message, Mapping)]
    contents += [outgoing.body.get("system"), outgoing.body.get("tools")]
    return not any(hasattr(type(content), "__next__") for content in contents)


# --- responses -----------------------------------------------------------------------------------------------------


def read_response(response: Any) -> LlmResponse:
    """The answer: the client's object, its JSON, or what the accumulator made of a stream."""
    fields = all_fields(response)
    content = fields.get("content")
    blocks = content if isinstance(content, list) else []
    kinds = [(string(block.get("type")), block) for block in map(all_fields, blocks)]
    message: dict[str, Any] = {"role": "assistant", "content": blocks}
    refusal = all_fields(fields.get("stop_details"))
    if refusal.get("explanation"):
        message["refusal"] = {"content": refusal["explanation"], "category": refusal.get("category")}
    return LlmResponse(
        id=string(fields.get("id")),
        model=string(fields.get("model")),
        finish_reasons=[read_finish_reason(fields.get("stop_reason"))],
        usage=_read_usage(all_fields(fields["usage"])) if fields.get("usage") else None,
        compacted=True if any(kind == "compaction" and block.get("content") for kind, block in kinds) else None,
        tool_call_ids=[call_id for kind, block in kinds if kind == "tool_use" and (call_id := string(block.get("id")))],
        output=Deferred([message], read_messages),
    )


def read_finish_reason(reason: Any) -> str:
    """The conventions' word; the API's own where they have none."""
    return _FINISH_REASONS.get(reason, reason) if isinstance(reason, str) else UNFINISHED


def _read_usage(usage: dict[str, Any]) -> Usage:
    # What a compaction in the middle of a call has cost is billed, and stands beside the rest.
    rounds = listed(usage.get("iterations")) or ()
    counted = [usage, *(each for each in map(all_fields, rounds) if each.get("type") == "compaction")]
    details = all_fields(usage.get("output_tokens_details"))
    given = _sum(counted, "input_tokens")
    read, written = _sum(counted, "cache_read_input_tokens"), _sum(counted, "cache_creation_input_tokens")
    hours = [all_fields(each.get("cache_creation")) for each in counted]
    return Usage(
        input_tokens=None if given is None else total([given, read, written]),
        output_tokens=_sum(counted, "output_tokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=count(details.get("thinking_tokens")),
        hour_cache_write_tokens=_sum(hours, "ephemeral_1h_input_tokens") or None,
        web_searches=read_web_searches(usage),
    )


def _sum(counted: Sequence[dict[str, Any]], key: str) -> int | None:
    return total(count(each.get(key)) for each in counted)


OPERATION = Operation(
    name="chat",
    read_request=read_request,
    read_response=read_response,
    make_accumulator=MessageAccumulator,
)
