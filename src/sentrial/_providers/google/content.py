"""Google's generateContent, plain and streamed, as the Gemini API and Vertex AI speak it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sentrial._patch.spec import Operation, Outgoing
from sentrial._providers.google.endpoint import read_call_endpoint
from sentrial._providers.google.parts import read_contents, read_parts, read_tools
from sentrial._providers.values import (
    NOTHING,
    UNFINISHED,
    count,
    index_of,
    integer,
    listed,
    mapping,
    number,
    string,
    strings,
    total,
)
from sentrial.types import Deferred, LlmRequest, LlmResponse, Message, Usage

_STOPPED_BY_FILTER = (
    "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION",
    "PUP_LIMITED_DISABLED", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
)  # fmt: skip
_FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(_STOPPED_BY_FILTER, "content_filter"),
}
_TELLING = ('"finishReason"', '"functionCall"', '"error"')
_BLOCKED = "content_filter"
_TOOL_CALL = "tool_call"

Body = Any
"""An answer or a chunk of one: JSON text, as newer clients pass it on, or the dict in it, as older ones do."""


# --- requests ------------------------------------------------------------------------------------------------------


def read_request(outgoing: Outgoing) -> LlmRequest:
    """What is about to be asked."""
    body = outgoing.body
    endpoint = read_call_endpoint(outgoing)
    given = mapping(body.get("generationConfig"))
    get = given.get
    choices = integer(get("candidateCount"))
    thinking = mapping(get("thinkingConfig"))
    system = listed(mapping(body.get("systemInstruction")).get("parts"))
    contents = listed(body.get("contents"))
    tools = listed(body.get("tools"))
    return LlmRequest(
        operation="generate_content",
        provider=endpoint.provider,
        model=endpoint.model,
        stream=outgoing.stream,
        server_address=endpoint.address,
        server_port=endpoint.port,
        max_tokens=integer(get("maxOutputTokens")),
        temperature=number(get("temperature")),
        top_p=number(get("topP")),
        top_k=_whole(get("topK")),
        stop_sequences=strings(get("stopSequences")),
        frequency_penalty=number(get("frequencyPenalty")),
        presence_penalty=number(get("presencePenalty")),
        seed=integer(get("seed")),
        choice_count=choices if choices != 1 else None,
        reasoning_level=string(thinking.get("thinkingLevel", thinking.get("thinking_level"))),
        output_type=_read_output_type(given),
        system=Deferred(system, read_parts) if system else None,
        input=Deferred(contents, read_contents) if contents is not None else None,
        tools=Deferred(tools, read_tools) if tools else None,
    )


def _read_output_type(given: Mapping[str, Any]) -> str | None:
    modalities = [string(modality) for modality in listed(given.get("responseModalities")) or ()]
    if "IMAGE" in modalities:
        return "image"
    if "AUDIO" in modalities:
        return "speech"
    kind = given.get("responseMimeType")
    if kind == "application/json" or given.get("responseSchema") or given.get("responseJsonSchema"):
        return "json"
    return "text" if kind or modalities == ["TEXT"] else None


def _whole(value: Any) -> int | None:
    """``topK`` is a whole number that the client makes a float of."""
    return integer(int(value) if type(value) is float and value.is_integer() else value)


# --- responses -----------------------------------------------------------------------------------------------------


def body_of(answer: Any) -> Body:
    """What an answer holds: a newer client's object has its text, an older one's is the dict itself."""
    return answer if type(answer) in (dict, str) else getattr(answer, "body", None)


def decode(body: Body) -> dict[str, Any]:
    """The dict of ``body``; an empty one where it is none."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return NOTHING
    return body if type(body) is dict else NOTHING


def read_response(answer: Any) -> LlmResponse:
    """The answer: the client's object, its JSON, or the chunks that an accumulator has gathered."""
    bodies = answer if type(answer) is list else [body_of(answer)]
    # Those that say more than a piece of text, and both ends: the others are read on our own thread.
    ends = (0, len(bodies) - 2, len(bodies) - 1)
    said = [decode(body) for number, body in enumerate(bodies) if number in ends or says_more(body)]
    candidates = [candidate for chunk in said for candidate in _candidates_of(chunk)]
    usage = _last(said, "usageMetadata")
    return LlmResponse(
        id=string(_last(said, "responseId")),
        model=string(_last(said, "modelVersion")),
        finish_reasons=_read_finish_reasons(said, candidates),
        usage=_read_usage(usage) if usage else None,
        error=_read_error(_last(said, "error")),
        tool_call_ids=[call_id for candidate in candidates for call_id in _read_call_ids(candidate)],
        output=Deferred(bodies, read_output) if candidates else None,
    )


def says_more(body: Body) -> bool:
    """Whether a chunk says more than a piece of text."""
    return any(word in body for word in _TELLING) if isinstance(body, str) else True


def read_output(bodies: Any) -> list[Message]:
    """The snapshot of the bodies of an answer: one message a candidate, put together from its chunks."""
    gathered: dict[int, list[Any]] = {}
    for body in bodies:
        for candidate in _candidates_of(decode(body)):
            gathered.setdefault(index_of(candidate.get("index")), []).extend(_parts_of(candidate))
    return [Message("assistant", read_parts(parts)) for _, parts in sorted(gathered.items())]


def _candidates_of(chunk: Mapping[str, Any]) -> list[dict[str, Any]]:
    candidates = chunk.get("candidates")
    return [each for each in candidates if type(each) is dict] if type(candidates) is list else []


def _parts_of(candidate: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts = mapping(candidate.get("content")).get("parts")
    return [part for part in parts if type(part) is dict] if type(parts) is list else []


def _read_call_ids(candidate: Mapping[str, Any]) -> list[str]:
    calls = [mapping(part.get("functionCall")) for part in _parts_of(candidate)]
    return [call_id for call in calls if (call_id := string(call.get("id")))]


def _last(chunks: Sequence[Mapping[str, Any]], key: str) -> Any:
    return next((chunk[key] for chunk in reversed(chunks) if chunk.get(key)), None)


def _read_finish_reasons(chunks: Sequence[Mapping[str, Any]], candidates: Sequence[Mapping[str, Any]]) -> list[str]:
    if not candidates and mapping(_last(chunks, "promptFeedback")).get("blockReason"):
        return [_BLOCKED]
    reasons: dict[int, str | None] = {}
    calling = set()
    for candidate in candidates:
        index = index_of(candidate.get("index"))
        reasons[index] = string(candidate.get("finishReason")) or reasons.get(index)
        if any("functionCall" in part for part in _parts_of(candidate)):
            calling.add(index)
    return [_read_finish_reason(reasons[index], index in calling) for index in sorted(reasons)]


def _read_finish_reason(reason: str | None, is_calling: bool) -> str:
    if reason is None:
        return UNFINISHED
    known = _FINISH_REASONS.get(reason, reason.lower())
    return _TOOL_CALL if known == "stop" and is_calling else known


def _read_error(error: Any) -> dict[str, Any] | None:
    """What an older client passes over: a failure in the middle of a stream."""
    if type(error) is not dict:
        return None
    return {"type": string(error.get("status")) or str(error.get("code")), "message": error.get("message")}


def _read_usage(usage: Any) -> Usage:
    """Tokens; those of a server's own tools are billed as input, thoughts as output (Gemini API, "UsageMetadata")."""
    get = mapping(usage).get
    prompt, tool = count(get("promptTokenCount")), count(get("toolUsePromptTokenCount"))
    answer, thoughts = count(get("candidatesTokenCount")), count(get("thoughtsTokenCount"))
    asked = _by_modality(get("promptTokensDetails"), get("toolUsePromptTokensDetails"))
    answered = _by_modality(get("candidatesTokensDetails"))
    cached = _by_modality(get("cacheTokensDetails"))
    return Usage(
        input_tokens=total([prompt, tool]),
        output_tokens=total([answer, thoughts]),
        cache_read_tokens=count(get("cachedContentTokenCount")),
        reasoning_tokens=thoughts,
        text_input_tokens=asked.get("TEXT"),
        image_input_tokens=asked.get("IMAGE"),
        audio_input_tokens=asked.get("AUDIO"),
        text_output_tokens=answered.get("TEXT"),
        image_output_tokens=answered.get("IMAGE"),
        audio_output_tokens=answered.get("AUDIO"),
        text_cache_read_tokens=cached.get("TEXT"),
        image_cache_read_tokens=cached.get("IMAGE"),
        audio_cache_read_tokens=cached.get("AUDIO"),
    )


def _by_modality(*details: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for detail in details:
        for entry in listed(detail) or ():
            modality, tokens = string(mapping(entry).get("modality")), count(mapping(entry).get("tokenCount"))
            if modality and tokens is not None:
                counts[modality] = counts.get(modality, 0) + tokens
    return counts


# --- streams -------------------------------------------------------------------------------------------------------


class ContentAccumulator:
    """Gathers the chunks of a stream as text: they are read when the last one has come."""

    __slots__ = ("_bodies", "complete")

    def __init__(self) -> None:
        self.complete = False
        self._bodies: list[str] = []

    def add(self, chunk: Any) -> None:
        """Take one chunk."""
        body = body_of(chunk)
        if not isinstance(body, str):
            body = json.dumps(body)  # now: an older client cuts what it does not know out of the dict
        self._bodies.append(body)
        if not self.complete and says_more(body):
            candidates = _candidates_of(decode(body))
            self.complete = bool(candidates) and all(each.get("finishReason") for each in candidates)

    def result(self) -> list[str]:
        """The chunks so far."""
        return self._bodies


OPERATION = Operation(
    name="generate_content",
    read_request=read_request,
    read_response=read_response,
    make_accumulator=ContentAccumulator,
)
