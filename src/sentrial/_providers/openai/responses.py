"""OpenAI's responses: made, fetched when they were made in the background, and compacted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentrial._patch.spec import Operation, Outgoing
from sentrial._providers.openai.endpoint import read_call_endpoint
from sentrial._providers.openai.errors import read_error
from sentrial._providers.openai.events import ResponseAccumulator
from sentrial._providers.openai.items import CLIENT_CALLS, read_input, read_output, read_system
from sentrial._providers.openai.tools import read_tools
from sentrial._providers.openai.usage import read_usage
from sentrial._providers.values import UNFINISHED, all_fields, fields_of, integer, listed, mapping, number, string
from sentrial.types import Deferred, LlmRequest, LlmResponse

_API = "responses"
_PENDING = ("queued", "in_progress")
_INCOMPLETE = {"max_output_tokens": "length"}


# --- requests ------------------------------------------------------------------------------------------------------


def read_request(outgoing: Outgoing) -> LlmRequest:
    """What is about to be asked: a response, or a shorter history."""
    get = outgoing.body.get
    endpoint = read_call_endpoint(outgoing)
    prompt = mapping(get("prompt"))
    instructions = get("instructions")
    tools = listed(get("tools"))
    items = get("input")
    if not isinstance(items, str):
        items = listed(items)
    conversation = get("conversation")
    return LlmRequest(
        operation="chat",
        provider=endpoint.provider,
        model=string(get("model")),
        stream=outgoing.stream,
        server_address=endpoint.address,
        server_port=endpoint.port,
        max_tokens=integer(get("max_output_tokens")),
        temperature=number(get("temperature")),
        top_p=number(get("top_p")),
        top_k=integer(get("top_k")),
        reasoning_level=string(mapping(get("reasoning")).get("effort")),
        output_type=_read_output_type(mapping(mapping(get("text")).get("format")).get("type")),
        api_type=_API,
        service_tier=endpoint.service_tier,
        previous_response_id=string(get("previous_response_id")),
        conversation_id=string(mapping(conversation).get("id", conversation)),
        prompt_name=string(prompt.get("id")),
        prompt_version=string(prompt.get("version")),
        prompt_variables=mapping(prompt.get("variables")) or None,
        system=Deferred(instructions, read_system) if instructions else None,
        input=Deferred(items, read_input) if items is not None else None,
        tools=Deferred(tools, read_tools) if tools else None,
    )


def read_fetch(outgoing: Outgoing) -> LlmRequest:
    """Which response is about to be fetched, and from where on."""
    endpoint = read_call_endpoint(outgoing)
    after = outgoing.query.get("starting_after")
    return LlmRequest(
        operation="fetch_response",
        provider=endpoint.provider,
        stream=outgoing.stream,
        server_address=endpoint.address,
        server_port=endpoint.port,
        response_id=outgoing.path.rpartition("/")[2],
        stream_cursor=str(after) if isinstance(after, int | str) else None,
    )


def _read_output_type(kind: Any) -> str | None:
    return "json" if kind in ("json_schema", "json_object") else "text" if kind == "text" else None


# --- responses -----------------------------------------------------------------------------------------------------


def read_response(response: Any) -> LlmResponse:
    """The answer: the client's object, its JSON, or what came of a stream."""
    fields = all_fields(response)
    output = listed(fields.get("output")) or []
    items = [fields_of(item) for item in output]
    call_ids = [call_id for item in items if (call_id := _read_call_id(item))]
    usage = read_usage(fields.get("usage"))
    return LlmResponse(
        id=string(fields.get("id")),
        model=string(fields.get("model")),
        finish_reasons=_read_finish_reasons(fields, asks=bool(call_ids)),
        usage=usage,
        pending=usage is None and fields.get("status") in _PENDING,
        service_tier=string(fields.get("service_tier")),
        compacted=any(item.get("type") == "compaction" for item in items) or None,
        error=read_error(fields.get("error"), failed=fields.get("status") == "failed"),
        tool_call_ids=call_ids,
        output=Deferred(output, read_output) if output else None,
    )


def read_fetched(response: Any) -> LlmResponse:
    """The answer that was fetched. Its tokens are those of the call that made it, and so is its failure."""
    read = read_response(response)
    status = string(all_fields(response).get("status"))
    return read._replace(status=status, usage=None, made_usage=read.usage, service_tier=None, error=None)


def read_compacted(response: Any) -> LlmResponse:
    """The history as it was shortened."""
    fields = all_fields(response)
    output = listed(fields.get("output")) or []
    return LlmResponse(
        id=string(fields.get("id")),
        finish_reasons=["compaction"],
        usage=read_usage(fields.get("usage")),
        compacted=True,
        output=Deferred(output, read_input) if output else None,
    )


def _read_call_id(item: Mapping[str, Any]) -> str | None:
    return string(item.get("call_id")) if string(item.get("type")) in CLIENT_CALLS else None


def _read_finish_reasons(fields: Mapping[str, Any], *, asks: bool) -> list[str]:
    status = fields.get("status")
    if fields.get("cut"):
        return [UNFINISHED]
    if status is None or status in _PENDING:
        return []
    if status == "incomplete":
        reason = fields_of(fields.get("incomplete_details")).get("reason")
        return [_INCOMPLETE.get(reason, reason) if isinstance(reason, str) else UNFINISHED]
    if status == "completed":
        return ["tool_call" if asks else "stop"]
    return [UNFINISHED]


CREATE = Operation(
    name="chat", read_request=read_request, read_response=read_response, make_accumulator=ResponseAccumulator
)
FETCH = Operation(
    name="fetch_response", read_request=read_fetch, read_response=read_fetched, make_accumulator=ResponseAccumulator
)
COMPACT = Operation(
    name="chat", read_request=read_request, read_response=read_compacted, make_accumulator=ResponseAccumulator
)
