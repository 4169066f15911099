"""OpenAI chat completions, and every service that speaks that API through OpenAI's client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentrial._patch.spec import Operation, Outgoing
from sentrial._providers.openai.asked import read_asked, read_usage, with_extras
from sentrial._providers.openai.items import read_arguments
from sentrial._providers.openai.tools import read_tools
from sentrial._providers.values import NOTHING, blob, fields_of, integer, listed, mapping, number, string, strings, uri
from sentrial.types import Deferred, LlmRequest, LlmResponse, Message, Part

_ROLES = {"developer": "system", "function": "tool"}
_FINISH_REASONS = {"tool_calls": "tool_call", "function_call": "tool_call"}
_UNFINISHED = "error"

_HEAD = ("id", "model", "usage", "service_tier", "system_fingerprint")


# --- requests ------------------------------------------------------------------------------------------------------


def read_request(outgoing: Outgoing) -> LlmRequest:
    """What is about to be asked."""
    get = outgoing.body.get
    asked = read_asked(outgoing)
    choices = integer(get("n"))
    limit = integer(get("max_completion_tokens"))
    messages = listed(get("messages"))
    tools = listed(get("tools")) or listed(get("functions"))
    return LlmRequest(
        operation="chat",
        provider=asked.provider,
        model=string(get("model")),
        stream=outgoing.stream,
        server_address=asked.address,
        server_port=asked.port,
        max_tokens=integer(get("max_tokens")) if limit is None else limit,
        temperature=number(get("temperature")),
        top_p=number(get("top_p")),
        top_k=integer(get("top_k")),
        stop_sequences=strings(get("stop")),
        frequency_penalty=number(get("frequency_penalty")),
        presence_penalty=number(get("presence_penalty")),
        seed=integer(get("seed")),
        choice_count=choices if choices != 1 else None,
        reasoning_level=string(get("reasoning_effort")) or string(mapping(get("reasoning")).get("effort")),
        output_type=_read_output_type(get("response_format"), get("modalities")),
        api_type="chat_completions",
        service_tier=asked.service_tier,
        input=Deferred(messages, read_messages) if messages is not None else None,
        tools=Deferred(tools, read_tools) if tools else None,
    )


def _read_output_type(response_format: Any, modalities: Any) -> str | None:
    if "audio" in (strings(modalities) or ()):
        return "speech"
    if isinstance(response_format, Mapping):
        kind = response_format.get("type")
        return "json" if kind in ("json_object", "json_schema") else "text" if kind == "text" else None
    return None


# --- messages, on our own thread -----------------------------------------------------------------------------------


def read_messages(messages: Any) -> list[Message]:
    """The snapshot of a list of messages, as the API takes them and gives them."""
    return [_read_message(message) for message in messages]


def _read_message(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message("user", [Part.text(str(message))])
    role = message.get("role")
    role = _ROLES.get(role, role) if isinstance(role, str) else "user"
    thought = string(message.get("reasoning_content")) or string(message.get("reasoning"))
    parts = [Part.reasoning(thought)] if thought else []
    if role == "tool":
        parts.append(Part.tool_call_response(string(message.get("tool_call_id")), message.get("content")))
    else:
        parts += _read_content(message.get("content"))
    if string(message.get("refusal")):
        parts.append(Part("refusal", {"content": message["refusal"]}))
    parts += _read_audio(fields_of(message.get("audio")))
    calls = message.get("tool_calls") or [{"function": message.get("function_call")}]
    parts += [_read_tool_call(call) for call in calls if any(map(fields_of(call).get, ("function", "custom")))]
    return Message(role, parts, string(message.get("name")))


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
        return uri(value.get("url") if isinstance(value, dict) else value, "image")
    if kind == "input_audio" and isinstance(value, dict):
        return blob("audio", f"audio/{value.get('format')}", value.get("data"))
    if kind == "file" and isinstance(value, dict):
        if value.get("file_id"):
            return Part("file", {"modality": "document", "file_id": value["file_id"]})
        return uri(value.get("file_data"), "document")
    return Part(kind, {key: item for key, item in part.items() if key != "type"})


def _read_audio(audio: dict[str, Any]) -> list[Part]:
    parts = [Part.text(audio["transcript"])] if audio.get("transcript") else []
    if audio.get("data"):
        parts.append(blob("audio", "audio/*", audio["data"]))
    elif audio.get("id") and not parts:
        parts.append(Part("file", {"modality": "audio", "file_id": audio["id"]}))
    return parts


def _read_tool_call(call: dict[str, Any]) -> Part:
    function = call.get("function") or call.get("custom") or NOTHING
    arguments = function.get("arguments", function.get("input"))
    if call.get("type") != "custom":
        arguments = read_arguments(arguments)
    return Part.tool_call(str(function.get("name")), string(call.get("id")), arguments)


# --- responses -----------------------------------------------------------------------------------------------------


def read_response(response: Any) -> LlmResponse:
    """The answer: the client's object, its JSON, or what the accumulator made of a stream."""
    fields = fields_of(response)
    choices = [fields_of(choice) for choice in fields.get("choices") or ()]
    messages = [choice.get("message") for choice in choices]
    return LlmResponse(
        id=string(fields.get("id")),
        model=string(fields.get("model")),
        finish_reasons=[_read_finish_reason(choice.get("finish_reason")) for choice in choices],
        usage=read_usage(fields.get("usage")),
        service_tier=string(fields.get("service_tier")),
        system_fingerprint=string(fields.get("system_fingerprint")),
        tool_call_ids=[call_id for message in messages for call_id in _read_call_ids(message)],
        output=Deferred(messages, read_messages) if messages else None,
    )


def _read_call_ids(message: Any) -> list[str]:
    calls = fields_of(message).get("tool_calls")
    return [call_id for call in calls if (call_id := string(fields_of(call).get("id")))] if calls else []


def _read_finish_reason(reason: Any) -> str:
    return _FINISH_REASONS.get(reason, reason) if isinstance(reason, str) else _UNFINISHED


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
        fields = fields_of(delta)
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
            self._add_call(fields_of(call))
        if fields.get("function_call"):
            self._add_call({"index": "function", "function": fields["function_call"]})
        for key, value in fields_of(fields.get("audio")).items():
            self.audio.setdefault(key, []).append(value or "")

    def _add_call(self, fields: dict[str, Any]) -> None:
        index = fields.get("index")
        if index is None:
            # Some services leave it out: a new id is then a new call.
            index = len(self.calls) - (0 if fields.get("id") or not self.calls else 1)
        call = self.calls.setdefault(index, {"id": None, "name": None, "arguments": []})
        function = fields_of(fields.get("function"))
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

    __slots__ = ("_choices", "_named", "_said", "complete")

    def __init__(self) -> None:
        self.complete = False  # no chunk says so: after the last choice there may be usage to come
        self._said: dict[str, Any] = {}
        self._named = False
        self._choices: dict[int, _ChoiceDeltas] = {}

    def add(self, chunk: Any) -> None:
        """Take one chunk; one without choices too: usage comes in such a one, and Azure's filter results do."""
        fields = fields_of(chunk)
        choices = fields.get("choices")
        if not self._named or not choices or fields.get("usage"):
            self._said |= {key: fields[key] for key in _HEAD if fields.get(key)}
            self._named = bool(choices)
        for choice in choices or ():
            piece = fields_of(choice)
            index = piece.get("index") or 0
            deltas = self._choices.get(index)
            if deltas is None:
                deltas = self._choices[index] = _ChoiceDeltas()
            reason = piece.get("finish_reason")
            if reason:
                deltas.finish_reason = reason
                self._named = False  # the last chunks say what the first could not: the tier that was used, say
                self._add_usage_of_groq(chunk)
            deltas.add(piece.get("delta"))

    def _add_usage_of_groq(self, chunk: Any) -> None:
        usage = fields_of(with_extras(chunk).get("x_groq")).get("usage")
        if usage:
            self._said.setdefault("usage", usage)

    def result(self) -> dict[str, Any]:
        """The chat completion so far, as the API would have answered it in one piece."""
        choices = [
            {"index": index, "finish_reason": deltas.finish_reason, "message": deltas.message()}
            for index, deltas in sorted(self._choices.items())
        ]
        return {**self._said, "choices": choices}


def _answer_in(error: BaseException) -> Any:
    """``parse()`` refuses an answer that is cut short, which was made, and billed, all the same."""
    return getattr(error, "completion", None)


OPERATION = Operation(
    name="chat",
    read_request=read_request,
    read_response=read_response,
    make_accumulator=ChatAccumulator,
    last_event="[DONE]",
    answer_in=_answer_in,
)
