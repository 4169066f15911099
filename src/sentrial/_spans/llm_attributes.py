"""What stands on the span of a model call, content apart: our types, in the names of the conventions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sentrial import semconv
from sentrial._json import encodable
from sentrial._spans import failure
from sentrial.types import LlmRequest, LlmResponse, Usage

_REQUEST_FIELDS = (
    ("max_tokens", semconv.GEN_AI_REQUEST_MAX_TOKENS),
    ("temperature", semconv.GEN_AI_REQUEST_TEMPERATURE),
    ("top_p", semconv.GEN_AI_REQUEST_TOP_P),
    ("top_k", semconv.GEN_AI_REQUEST_TOP_K),
    ("stop_sequences", semconv.GEN_AI_REQUEST_STOP_SEQUENCES),
    ("frequency_penalty", semconv.GEN_AI_REQUEST_FREQUENCY_PENALTY),
    ("presence_penalty", semconv.GEN_AI_REQUEST_PRESENCE_PENALTY),
    ("seed", semconv.GEN_AI_REQUEST_SEED),
    ("choice_count", semconv.GEN_AI_REQUEST_CHOICE_COUNT),
    ("reasoning_level", semconv.GEN_AI_REQUEST_REASONING_LEVEL),
    ("output_type", semconv.GEN_AI_OUTPUT_TYPE),
    ("api_type", semconv.OPENAI_API_TYPE),
    ("service_tier", semconv.OPENAI_REQUEST_SERVICE_TIER),
    ("previous_response_id", semconv.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID),
    ("response_id", semconv.GEN_AI_RESPONSE_ID),
    ("stream_cursor", semconv.GEN_AI_REQUEST_STREAM_CURSOR),
    ("encoding_formats", semconv.GEN_AI_REQUEST_ENCODING_FORMATS),
    ("dimension_count", semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT),
    ("prompt_name", semconv.GEN_AI_PROMPT_NAME),
    ("prompt_version", semconv.GEN_AI_PROMPT_VERSION),
    ("guardrail_id", semconv.AWS_BEDROCK_GUARDRAIL_ID),
)
_RESPONSE_FIELDS = (
    ("id", semconv.GEN_AI_RESPONSE_ID),
    ("model", semconv.GEN_AI_RESPONSE_MODEL),
    ("service_tier", semconv.OPENAI_RESPONSE_SERVICE_TIER),
    ("system_fingerprint", semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT),
    ("status", semconv.GEN_AI_RESPONSE_STATUS),
    ("dimension_count", semconv.GEN_AI_EMBEDDINGS_DIMENSION_COUNT),
)
_USAGE_FIELDS = (
    ("input_tokens", semconv.GEN_AI_USAGE_INPUT_TOKENS),
    ("output_tokens", semconv.GEN_AI_USAGE_OUTPUT_TOKENS),
    ("cache_read_tokens", semconv.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_write_tokens", semconv.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("reasoning_tokens", semconv.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("text_input_tokens", semconv.GEN_AI_USAGE_TEXT_INPUT_TOKENS),
    ("image_input_tokens", semconv.GEN_AI_USAGE_IMAGE_INPUT_TOKENS),
    ("audio_input_tokens", semconv.GEN_AI_USAGE_AUDIO_INPUT_TOKENS),
    ("text_output_tokens", semconv.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS),
    ("image_output_tokens", semconv.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS),
    ("audio_output_tokens", semconv.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS),
    ("text_cache_read_tokens", semconv.GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS),
    ("image_cache_read_tokens", semconv.GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS),
    ("audio_cache_read_tokens", semconv.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS),
)


def _by_place(kind: type[Any], fields: Iterable[tuple[str, str]]) -> tuple[tuple[int, str], ...]:
    # By place, not by name: a third of the time, and there are many for each call.
    return tuple((kind._fields.index(field), key) for field, key in fields)


_REQUEST = _by_place(LlmRequest, _REQUEST_FIELDS)
_RESPONSE = _by_place(LlmResponse, _RESPONSE_FIELDS)
_USAGE = _by_place(Usage, _USAGE_FIELDS)
_WHOLE = frozenset({semconv.GEN_AI_USAGE_INPUT_TOKENS, semconv.GEN_AI_USAGE_OUTPUT_TOKENS})


def request_attributes(request: LlmRequest) -> dict[str, Any]:
    """What stands on the span of a call before its answer, but for the content."""
    attributes: dict[str, Any] = {
        semconv.GEN_AI_OPERATION_NAME: request.operation,
        semconv.GEN_AI_PROVIDER_NAME: request.provider,
        semconv.SENTRIAL_EVENT_TYPE: semconv.EVENT_LLM_CALL,
    }
    if request.model:
        attributes[semconv.GEN_AI_REQUEST_MODEL] = carried(request.model)
    if request.server_address:
        attributes[semconv.SERVER_ADDRESS] = request.server_address
        if request.server_port:
            attributes[semconv.SERVER_PORT] = request.server_port
    if request.stream:
        attributes[semconv.GEN_AI_REQUEST_STREAM] = True
    if request.conversation_id is not None:
        attributes[semconv.GEN_AI_CONVERSATION_ID] = carried(request.conversation_id)
    for place, key in _REQUEST:
        value = request[place]
        if value is not None:
            attributes[key] = carried(value)
    return attributes


def write_response(response: LlmResponse, attributes: dict[str, Any]) -> None:
    """Add what an answer says, but for the content."""
    for place, key in _RESPONSE:
        value = response[place]
        if value is not None:
            attributes[key] = carried(value)
    if response.compacted:
        attributes[semconv.GEN_AI_CONVERSATION_COMPACTED] = True
    if response.finish_reasons:
        attributes[semconv.GEN_AI_RESPONSE_FINISH_REASONS] = carried(list(response.finish_reasons))
    if response.usage is not None:
        write_usage(response.usage, attributes)


def carried(value: Any) -> Any:
    """``value`` as every exporter takes it, those of the program's own too."""
    if isinstance(value, str):
        return encodable(value)
    return [carried(each) for each in value] if isinstance(value, list) else value


def write_usage(usage: Usage, attributes: dict[str, Any]) -> None:
    """Add the tokens that were said; what was not said is left out, and parts of zero tokens are no news."""
    for place, key in _USAGE:
        value = usage[place]
        if value or (value == 0 and key in _WHOLE):
            attributes[key] = value


def metric_attributes(request: LlmRequest, response: LlmResponse | None, error: object) -> dict[str, Any]:
    """The conventions' common set, for the metrics of a call."""
    attributes: dict[str, Any] = {
        semconv.GEN_AI_OPERATION_NAME: request.operation,
        semconv.GEN_AI_PROVIDER_NAME: request.provider,
    }
    if request.model:
        attributes[semconv.GEN_AI_REQUEST_MODEL] = carried(request.model)
    if response is not None and response.model:
        attributes[semconv.GEN_AI_RESPONSE_MODEL] = carried(response.model)
    if request.server_address:
        attributes[semconv.SERVER_ADDRESS] = request.server_address
        if request.server_port:
            attributes[semconv.SERVER_PORT] = request.server_port
    if error is not None:
        attributes[semconv.ERROR_TYPE] = failure.type_of_told(error)
    return attributes
