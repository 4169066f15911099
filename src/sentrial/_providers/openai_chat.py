"""OpenAI chat completions, and every service that speaks that API through OpenAI's client."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sentrial._patch.spec import Provider, Shape, Target
from sentrial._providers.hosts import read_endpoint
from sentrial.types import Deferred, LlmRequest, LlmResponse, Message, Part, Usage

_NOTHING: dict[str, Any] = {}

# The classes of what the client takes for "not given", besides leaving it out.
_NOT_GIVEN = frozenset({"NoneType", "NotGiven", "Omit"})
_LISTS, _TEXTS = (list, tuple), (str, bytes)
_ROLES = {"developer": "system", "function": "tool"}
_FINISH_REASONS = {"tool_calls": "tool_call", "function_call": "tool_call"}
_UNFINISHED = "error"

_HEAD = ("id", "model", "usage", "service_tier", "system_fingerprint")


# --- requests ------------------------------------------------------------------------------------------------------


def read_request(instance: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> LlmRequest:
    """What is about to be asked. ``create`` takes keywords only."""
    given = {key: value for key, value in kwargs.items() if type(value).__name__ not in _NOT_GIVEN}
    get = given.get
    client = instance._client
    endpoint = read_endpoint(str(client.base_url))
    provider = "azure.ai.openai" if "Azure" in type(client).__name__ else endpoint.provider or "openai"
    choices = _integer(get("n"))
    limit = _integer(get("max_completion_tokens"))
    tier = _string(get("service_tier"))
    messages = _listed(get("messages"))
    tools = _listed(get("tools")) or _listed(get("functions"))
    return LlmRequest(
        operation="chat",
        provider=provider,
        model=_string(get("model")),
        stream=bool(get("stream")),
        server_address=endpoint.address,
        server_port=endpoint.port,
        max_tokens=_integer(get("max_tokens")) if limit is None else limit,
        temperature=_number(get("temperature")),
        top_p=_number(get("top_p")),
        stop_sequences=_read_stop(get("stop")),
        frequency_penalty=_number(get("frequency_penalty")),
        presence_penalty=_number(get("presence_penalty")),
        seed=_integer(get("seed")),
        choice_count=choices if choices != 1 else None,
        reasoning_level=_string(get("reasoning_effort")),
        output_type=_read_output_type(get("response_format"), get("modalities")),
        api_type="chat_completions",
        service_tier=tier if tier != "auto" else None,
        input=Deferred(messages, read_messages) if messages is not None else None,
        tools=Deferred(tools, read_tools) if tools else None,
    )


def _listed(value: Any) -> Any:
    """``value`` if it can be looked at without using it up: an iterator is the program's, and is left alone."""
    if isinstance(value, _LISTS):
        return value
    return list(value) if isinstance(value, Sequence) and not isinstance(value, _TEXTS) else None


def _read_stop(stop: Any) -> list[str] | None:
    if isinstance(stop, str):
        return [stop]
    return [item for item in stop if isinstance(item, str)] if isinstance(stop, _LISTS) else None


def _read_output_type(response_format: Any, modalities: Any) -> str | None:
    if isinstance(modalities, _LISTS) and "audio" in modalities:
        return "speech"
    if isinstance(response_format, Mapping):
        kind = response_format.get("type")
        return "json" if kind in ("json_object", "json_schema") else "text" if kind == "text" else None
    return None


def _integer(value: Any) -> int | None:
    return value if type(value) is int else None


def _number(value: Any) -> float | None:
    kind = type(value)
    return value if kind is float else float(value) if kind is int else None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


# --- messages, on our own thread -----------------------------------------------------------------------------------


def read_messages(messages: Any) -> list[Message]:
    """The snapshot of a list of messages, as the API takes them and gives them."""
    return [_read_message(message) for message in messages]


def _read_message(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message("user", [Part.text(str(message))])
    role = message.get("role")
    role = _ROLES.get(role, role) if isinstance(role, str) else "user"
    thought = _string(message.get("reasoning_content")) or _string(message.get("reasoning"))
    parts = [Part.reasoning(thought)] if thought else []
    if role == "tool":
        parts.append(Part.tool_call_response(_string(message.get("tool_call_id")), message.get("content")))
    else:
        parts += _read_content(message.get("content"))
    if _string(message.get("refusal")):
        parts.append(Part("refusal", {"content": message["refusal"]}))
    parts += _read_audio(_fields(message.get("audio")))
    calls = message.get("tool_calls") or [{"function": message.get("function_call")}]
    parts += [_read_tool_call(call) for call in calls if any(map(_fields(call).get, ("function", "custom")))]
    return Message(role, parts, _string(message.get("name")))


def _read_content(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Part.text(content)] if content else []
    parts = content if isinstance(content, list) else []
    return [_read_part(part) if isinstance(part, dict) else Part.text(str(part)) for part in parts]


def _read_part(part: dict[str, Any]) -> Part:
    kind = str(part.get("type"))
    value = part.get(kind)
    if kind in ("text", "refusal"):
        return Part(kind, {"content": str(value)})
    if kind == "image_url":
        return _read_uri(value.get("url") if isinstance(value, dict) else value, "image")
    if kind == "input_audio" and isinstance(value, dict):
        return _blob("audio", f"audio/{value.get('format')}", value.get("data"))
    if kind == "file" and isinstance(value, dict):
        if value.get("file_id"):
            return Part("file", {"modality": "document", "file_id": value["file_id"]})
        return _read_uri(value.get("file_data"), "document")
    return Part(kind, {key: item for key, item in part.items() if key != "type"})


def _read_uri(uri: Any, modality: str) -> Part:
    head, _, data = uri.partition(",") if isinstance(uri, str) else ("", "", "")
    if head.startswith("data:") and head.endswith(";base64"):
        return _blob(modality, head[len("data:") :].partition(";")[0], data)
    return Part("uri", {"modality": modality, "uri": uri})


def _blob(modality: str, mime_type: str, data: Any) -> Part:
    # As bytes: whoever writes it decides whether it stays, or is replaced by size and hash.
    with contextlib.suppress(TypeError, ValueError):
        data = base64.b64decode(data, validate=True)
    return Part("blob", {"modality": modality, "mime_type": mime_type, "content": data})


def _read_audio(audio: dict[str, Any]) -> list[Part]:
    parts = [Part.text(audio["transcript"])] if audio.get("transcript") else []
    if audio.get("data"):
        parts.append(_blob("audio", "audio/*", audio["data"]))
    elif audio.get("id") and not parts:
        parts.append(Part("file", {"modality": "audio", "file_id": audio["id"]}))
    return parts


def _read_tool_call(call: dict[str, Any]) -> Part:
    function = call.get("function") or call.get("custom") or _NOTHING
    arguments = function.get("arguments", function.get("input"))
    if call.get("type") != "custom" and isinstance(arguments, str):
        # Not every model writes JSON, and a stream may have broken off in it: then it stays as it came.
        with contextlib.suppress(ValueError):
            arguments = json.loads(arguments)
    return Part.tool_call(str(function.get("name")), _string(call.get("id")), arguments)


def read_tools(tools: Any) -> list[dict[str, Any]]:
    """The snapshot of tool definitions, or of the older function definitions."""
    definitions = []
    for tool in filter(_fields, tools):
        kind = str(tool.get("type") or "function")
        described = _fields(tool.get(kind)) or tool
        definition: dict[str, Any] = {"type": kind, "name": described.get("name") or kind}
        definition |= {key: described[key] for key in ("description", "parameters") if described.get(key)}
        definitions.append(definition)
    return definitions


# --- responses -----------------------------------------------------------------------------------------------------


def _fields(value: Any) -> dict[str, Any]:
    """The fields of an object of the client's, or of the dict it was made from."""
    return value if type(value) is dict else getattr(value, "__dict__", _NOTHING)


def read_response(response: Any) -> LlmResponse:
    """The answer: the client's object, its JSON, or what the accumulator made of a stream."""
    fields = _fields(response)
    choices = [_fields(choice) for choice in fields.get("choices") or ()]
    messages = [choice.get("message") for choice in choices]
    return LlmResponse(
        id=_string(fields.get("id")),
        model=_string(fields.get("model")),
        finish_reasons=[_read_finish_reason(choice.get("finish_reason")) for choice in choices],
        usage=_read_usage(_fields(fields["usage"])) if fields.get("usage") else None,
        service_tier=_string(fields.get("service_tier")),
        system_fingerprint=_string(fields.get("system_fingerprint")),
        tool_call_ids=[call_id for message in messages for call_id in _read_call_ids(message)],
        output=Deferred(messages, read_messages) if messages else None,
    )


def _read_call_ids(message: Any) -> list[str]:
    calls = _fields(message).get("tool_calls")
    return [call_id for call in calls if (call_id := _string(_fields(call).get("id")))] if calls else []


def _read_finish_reason(reason: Any) -> str:
    return _FINISH_REASONS.get(reason, reason) if isinstance(reason, str) else _UNFINISHED


def _read_usage(usage: dict[str, Any]) -> Usage:
    prompt = _fields(usage.get("prompt_tokens_details"))
    completion = _fields(usage.get("completion_tokens_details"))
    return Usage(
        input_tokens=_integer(usage.get("prompt_tokens")),
        output_tokens=_integer(usage.get("completion_tokens")),
        cache_read_tokens=_integer(prompt.get("cached_tokens")),
        cache_write_tokens=_integer(prompt.get("cache_write_tokens")),
        reasoning_tokens=_integer(completion.get("reasoning_tokens")),
        audio_input_tokens=_integer(prompt.get("audio_tokens")),
        audio_output_tokens=_integer(completion.get("audio_tokens")),
    )


# --- streams -------------------------------------------------------------------------------------------------------


class _ChoiceDeltas:
    """The pieces of one choice."""

    __slots__ = ("audio", "calls", "content", "finish_reason", "texts")

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.content: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.calls: dict[Any, dict[str, Any]] = {}
        self.audio: dict[str, list[Any]] = {}

    def add(self, delta: Any) -> None:
        fields = _fields(delta)
        # What the client's types do not know: reasoning of other services, and whatever is newer than the client.
        extra = getattr(delta, "__pydantic_extra__", None)
        if fields.get("content"):
            self.content.append(fields["content"])
            if not extra and not fields.get("tool_calls"):
                return  # nearly every chunk: a piece of text and nothing else
        if extra:
            fields = {**fields, **extra}
        for key in ("refusal", "reasoning_content", "reasoning"):
            if fields.get(key):
                self.texts.setdefault(key, []).append(fields[key])
        for call in fields.get("tool_calls") or ():
            self._add_call(_fields(call))
        if fields.get("function_call"):
            self._add_call({"index": "function", "function": fields["function_call"]})
        for key, value in _fields(fields.get("audio")).items():
            self.audio.setdefault(key, []).append(value or "")

    def _add_call(self, fields: dict[str, Any]) -> None:
        index = fields.get("index")
        if index is None:
            # Some services leave it out: a new id is then a new call.
            index = len(self.calls) - (0 if fields.get("id") or not self.calls else 1)
        call = self.calls.setdefault(index, {"id": None, "name": None, "arguments": []})
        function = _fields(fields.get("function"))
        call["id"] = fields.get("id") or call["id"]
        call["name"] = function.get("name") or call["name"]
        if function.get("arguments"):
            call["arguments"].append(function["arguments"])

    def message(self) -> dict[str, Any]:
        calls = [
            {"id": call["id"], "function": {"name": call["name"], "arguments": "".join(call["arguments"])}}
            for call in self.calls.values()
        ]
        texts = {key: "".join(pieces) for key, pieces in self.texts.items()}
        audio = {key: "".join(map(str, pieces)) for key, pieces in self.audio.items()}
        return {"role": "assistant", "content": "".join(self.content), "tool_calls": calls, "audio": audio, **texts}


class ChatAccumulator:
    """Gathers the chunks of a streamed chat completion, each piece by reference."""

    __slots__ = ("_choices", "_named", "_said")

    def __init__(self) -> None:
        self._said: dict[str, Any] = {}
        self._named = False
        self._choices: dict[int, _ChoiceDeltas] = {}

    def add(self, chunk: Any) -> None:
        """Take one chunk; one without choices too: usage comes in such a one, and Azure's filter results do."""
        fields = _fields(chunk)
        choices = fields.get("choices")
        if not self._named or not choices or fields.get("usage"):
            self._said |= {key: fields[key] for key in _HEAD if fields.get(key)}
            self._named = bool(choices)
        for choice in choices or ():
            piece = _fields(choice)
            index = piece.get("index") or 0
            deltas = self._choices.get(index)
            if deltas is None:
                deltas = self._choices[index] = _ChoiceDeltas()
            reason = piece.get("finish_reason")
            if reason:
                deltas.finish_reason = reason
                self._named = False  # the last chunks say what the first could not: the tier that was used, say
            deltas.add(piece.get("delta"))

    def result(self) -> dict[str, Any]:
        """The chat completion so far, as the API would have answered it in one piece."""
        choices = [
            {"index": index, "finish_reason": deltas.finish_reason, "message": deltas.message()}
            for index, deltas in sorted(self._choices.items())
        ]
        return {**self._said, "choices": choices}


# What is a package in newer clients was the module itself in older ones.
_MODULES = ("openai.resources.chat.completions.completions", "openai.resources.chat.completions")

PROVIDER = Provider(
    name="openai",
    operation="chat",
    targets=[Target(_MODULES[0], cls, "create", _MODULES[1]) for cls in ("Completions", "AsyncCompletions")],
    read_request=read_request,
    read_response=read_response,
    make_accumulator=ChatAccumulator,
    shape=Shape(iterator="_iterator", stream_response="response", raw_response="http_response", last_event="[DONE]"),
)
