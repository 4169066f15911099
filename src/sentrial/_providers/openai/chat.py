"""OpenAI chat completions, and every service that speaks that API through OpenAI's client."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from sentrial._patch.spec import Operation, Outgoing
from sentrial._providers.openai.chat_messages import THOUGHTS, read_messages, read_thought
from sentrial._providers.openai.endpoint import read_call_endpoint
from sentrial._providers.openai.errors import read_error
from sentrial._providers.openai.finish_reasons import read_finish_reason
from sentrial._providers.openai.stream_usage import STREAM_USAGE
from sentrial._providers.openai.tools import read_tools
from sentrial._providers.openai.usage import read_usage
from sentrial._providers.values import (
    all_fields,
    decoded,
    fields_of,
    index_of,
    integer,
    joined,
    listed,
    mapping,
    number,
    string,
    strings,
)
from sentrial.types import Deferred, LlmRequest, LlmResponse

_FUNCTION_CALL = -1
"""The place of the one call that the older form of the API has."""

_HEAD = ("id", "model", "usage", "service_tier", "system_fingerprint", "error")


# --- requests ------------------------------------------------------------------------------------------------------


def read_request(outgoing: Outgoing) -> LlmRequest:
    """What is about to be asked."""
    get = outgoing.body.get
    endpoint = read_call_endpoint(outgoing)
    choices = integer(get("n"))
    limit = integer(get("max_completion_tokens"))
    messages = listed(get("messages"))
    tools = listed(get("tools")) or listed(get("functions"))
    return LlmRequest(
        operation="chat",
        provider=endpoint.provider,
        model=string(get("model")),
        stream=outgoing.stream,
        server_address=endpoint.address,
        server_port=endpoint.port,
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
        service_tier=endpoint.service_tier,
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


# --- responses -----------------------------------------------------------------------------------------------------


def read_response(response: Any) -> LlmResponse:
    """The answer: the client's object, its JSON, or what the accumulator made of a stream."""
    fields = all_fields(response)
    choices = [all_fields(choice) for choice in listed(fields.get("choices")) or ()]
    failed = (read_error(said.get("error"), failed=said.get("finish_reason") == "error") for said in (fields, *choices))
    messages = [choice.get("message") for choice in choices]
    return LlmResponse(
        id=string(fields.get("id")),
        model=string(fields.get("model")),
        finish_reasons=[read_finish_reason(choice.get("finish_reason")) for choice in choices],
        usage=read_usage(fields.get("usage")),
        service_tier=string(fields.get("service_tier")),
        system_fingerprint=string(fields.get("system_fingerprint")),
        error=next(filter(None, failed), None),
        tool_call_ids=[call_id for message in messages for call_id in _read_call_ids(message)],
        output=Deferred(messages, read_messages) if messages else None,
    )


def _read_call_ids(message: Any) -> list[str]:
    calls = listed(fields_of(message).get("tool_calls")) or ()
    return [call_id for call in calls if (call_id := string(fields_of(call).get("id")))]


# --- streams -------------------------------------------------------------------------------------------------------


class _ChoiceDeltas:
    """The pieces of one choice."""

    __slots__ = ("_at", "audio", "calls", "content", "error", "finish_reason", "images", "server_calls", "texts")

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.error: Any = None
        self.content: list[Any] = []
        self.texts: dict[str, list[Any]] = {}
        self.calls: list[dict[str, Any]] = []
        self._at: dict[int, dict[str, Any]] = {}
        self.images: list[Any] = []
        self.server_calls: dict[int, dict[str, Any]] = {}
        self.audio: dict[str, list[Any]] = {}

    def add(self, delta: Any) -> None:
        fields = fields_of(delta)
        # What the client's types do not know: reasoning of other services, and whatever is newer than the client.
        extra = getattr(delta, "__pydantic_extra__", None)
        if fields.get("content"):
            self.content.append(fields["content"])
            if not extra and not fields.get("tool_calls") and fields is not delta:
                return  # nearly every chunk of the client's: a piece of text and nothing else
        if extra:
            fields = {**fields, **extra}
        for key in ("refusal", "reasoning_content", "reasoning"):
            if fields.get(key):
                self.texts.setdefault(key, []).append(fields[key])
        for call in listed(fields.get("tool_calls")) or ():
            self._add_call(all_fields(call))
        if fields.get("function_call"):
            self._add_call({"index": _FUNCTION_CALL, "function": fields["function_call"]})
        self.images += listed(fields.get("images")) or ()
        for call in map(fields_of, listed(fields.get("executed_tools")) or ()):
            # What it gave comes after what it was asked for.
            said = {key: value for key, value in call.items() if value}
            self.server_calls.setdefault(index_of(call.get("index")), {}).update(said)
        for key, value in fields_of(fields.get("audio")).items():
            self.audio.setdefault(key, []).append(value or "")

    def _add_call(self, fields: dict[str, Any]) -> None:
        call_id, index = fields.get("id"), fields.get("index")
        named = fields_of(fields.get("function") or fields.get("custom"))
        if index is None:
            call = self.calls[-1] if self.calls else None
        else:
            index = index_of(index)
            call = self._at.get(index)
        piece = named.get("arguments") or named.get("input")
        if call is None or (named.get("name") and _is_another(call, call_id, piece)):
            call = {"id": None, "type": None, "name": None, "arguments": []}
            self.calls.append(call)
        if index is not None:
            self._at[index] = call
        call["id"] = call_id or call["id"]
        call["type"] = fields.get("type") or call["type"]
        call["name"] = named.get("name") or call["name"]
        if piece:
            call["arguments"].append(piece)

    def message(self) -> dict[str, Any]:
        calls = [
            {
                "id": call["id"],
                "type": call["type"],
                "function": {"name": call["name"], "arguments": joined(call["arguments"])},
            }
            for call in list(self.calls)
        ]
        texts = {key: joined(pieces) for key, pieces in list(self.texts.items())}
        audio = {key: "".join(map(str, pieces)) for key, pieces in list(self.audio.items())}
        return {
            "role": "assistant",
            "content": _put_together(self.content),
            "images": list(self.images),
            "executed_tools": [dict(call) for call in list(self.server_calls.values())],
            "tool_calls": calls,
            "audio": audio,
            **texts,
        }


def _is_another(call: dict[str, Any], call_id: Any, piece: Any) -> bool:
    """Whether ``piece``, which comes with a name, is of another call than ``call``, the one that its index says.

    Some services leave the index out, or say 0 of all. Then an id of its own tells: with a name, for an id alone is
    none, others make a new one for each piece. Where there is no id, it tells that both together would be no JSON.
    """
    if call_id:
        return bool(call["id"]) and call_id != call["id"]
    before, begun = joined(call["arguments"]).rstrip(), joined([piece or ""]).lstrip()
    return begun.startswith("{") and before.endswith("}") and isinstance(decoded(before), dict)


def _put_together(pieces: list[Any]) -> str | list[Any]:
    """The content: a text, or parts where lists of such came too, each text and each thought in one."""
    try:
        return "".join(pieces)
    except TypeError:
        parts = [_as_part(part) for piece in pieces for part in listed(piece) or [piece]]
    content: list[Any] = []
    for kind, group in groupby(parts, lambda part: string(part.get("type")) or ""):
        if kind == "text":
            content.append({"type": kind, "text": joined([part.get("text") or "" for part in group])})
        elif kind in THOUGHTS:
            content.append({"type": kind, THOUGHTS[kind]: joined(list(map(read_thought, group)))})
        else:
            content += group
    return content


def _as_part(piece: Any) -> dict[str, Any]:
    return fields_of(piece) or {"type": "text", "text": joined([piece])}


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
        if type(choices) is not list:
            choices = listed(choices)
        if not self._named or not choices or fields.get("usage"):
            self._said |= {key: fields[key] for key in _HEAD if fields.get(key)}
            self._named = bool(choices)
        for choice in choices or ():
            piece = fields_of(choice)
            index = piece.get("index")
            if type(index) is not int:
                index = index_of(index)
            deltas = self._choices.get(index)
            if deltas is None:
                deltas = self._choices[index] = _ChoiceDeltas()
            reason = piece.get("finish_reason")
            if reason:
                deltas.finish_reason = reason
                self._named = False  # the last chunks say what the first could not: the tier that was used, say
                self._add_beside(chunk, choice, deltas)
            deltas.add(piece.get("delta"))

    def _add_beside(self, chunk: Any, choice: Any, deltas: _ChoiceDeltas) -> None:
        """Take what the last chunk of a choice says where the client's types have no place for it."""
        said, beside = all_fields(chunk), all_fields(choice)
        deltas.error = beside.get("error") or said.get("error")
        # Groq's place for the tokens, and Moonshot's.
        usage = fields_of(said.get("x_groq")).get("usage") or beside.get("usage")
        if usage:
            self._said.setdefault("usage", usage)

    def result(self) -> dict[str, Any]:
        """The chat completion so far, as the API would have answered it in one piece."""
        choices = [
            {
                "index": index,
                "finish_reason": deltas.finish_reason,
                "error": deltas.error,
                "message": deltas.message(),
            }
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
    stream_usage=STREAM_USAGE,
    answer_in=_answer_in,
)
