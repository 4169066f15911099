"""OpenAI's older completions, which many servers of open models still offer: a text goes on."""

from __future__ import annotations

from typing import Any

from sentrial._patch.spec import Operation, Outgoing
from sentrial._providers.openai.endpoint import read_call_endpoint
from sentrial._providers.openai.errors import read_error
from sentrial._providers.openai.finish_reasons import read_finish_reason
from sentrial._providers.openai.stream_usage import STREAM_USAGE
from sentrial._providers.openai.usage import read_usage
from sentrial._providers.values import (
    all_fields,
    fields_of,
    index_of,
    integer,
    joined,
    listed,
    number,
    string,
    strings,
)
from sentrial.types import Deferred, LlmRequest, LlmResponse, Message, Part

_HEAD = ("id", "model", "usage", "system_fingerprint", "error")


def read_request(outgoing: Outgoing) -> LlmRequest:
    """What is about to be asked."""
    get = outgoing.body.get
    endpoint = read_call_endpoint(outgoing)
    choices = integer(get("n"))
    prompt = get("prompt")
    if not isinstance(prompt, str):
        prompt = listed(prompt)
    return LlmRequest(
        operation="text_completion",
        provider=endpoint.provider,
        model=string(get("model")),
        stream=outgoing.stream,
        server_address=endpoint.address,
        server_port=endpoint.port,
        max_tokens=integer(get("max_tokens")),
        temperature=number(get("temperature")),
        top_p=number(get("top_p")),
        top_k=integer(get("top_k")),
        stop_sequences=strings(get("stop")),
        frequency_penalty=number(get("frequency_penalty")),
        presence_penalty=number(get("presence_penalty")),
        seed=integer(get("seed")),
        choice_count=choices if choices != 1 else None,
        service_tier=endpoint.service_tier,
        input=Deferred(prompt, read_prompts) if prompt is not None else None,
    )


def read_prompts(prompt: Any) -> list[Message]:
    """The snapshot of one prompt or several, each a text or the numbers of its tokens."""
    several = isinstance(prompt, list) and not all(isinstance(item, int) for item in prompt)
    return [Message("user", [_read_prompt(item)]) for item in (prompt if several else [prompt])]


def _read_prompt(prompt: Any) -> Part:
    return Part("tokens", {"content": prompt}) if isinstance(prompt, list) else Part.text(str(prompt))


def read_response(response: Any) -> LlmResponse:
    """The answer: the client's object, its JSON, or what the accumulator made of a stream."""
    fields = all_fields(response)
    choices = [fields_of(choice) for choice in listed(fields.get("choices")) or ()]
    texts = [choice.get("text") for choice in choices]
    return LlmResponse(
        id=string(fields.get("id")),
        model=string(fields.get("model")),
        finish_reasons=[read_finish_reason(choice.get("finish_reason")) for choice in choices],
        usage=read_usage(fields.get("usage")),
        system_fingerprint=string(fields.get("system_fingerprint")),
        error=read_error(fields.get("error")),
        output=Deferred(texts, _read_texts) if texts else None,
    )


def _read_texts(texts: Any) -> list[Message]:
    return [Message("assistant", [Part.text(text)] if isinstance(text, str) else []) for text in texts]


class CompletionAccumulator:
    """Gathers the chunks of a streamed completion, each piece by reference."""

    __slots__ = ("_reasons", "_said", "_texts", "complete")

    def __init__(self) -> None:
        self.complete = False  # no chunk says so: after the last choice there may be usage to come
        self._said: dict[str, Any] = {}
        self._texts: dict[int, list[str]] = {}
        self._reasons: dict[int, Any] = {}

    def add(self, chunk: Any) -> None:
        """Take one chunk; one without choices too: usage comes in such a one."""
        fields = fields_of(chunk)
        choices = listed(fields.get("choices")) or ()
        if not self._said or not choices or fields.get("usage"):
            self._said |= {key: fields[key] for key in _HEAD if fields.get(key)}
        for choice in choices:
            piece = fields_of(choice)
            index = index_of(piece.get("index"))
            self._texts.setdefault(index, []).append(piece.get("text") or "")
            if piece.get("finish_reason"):
                self._reasons[index] = piece["finish_reason"]

    def result(self) -> dict[str, Any]:
        """The completion so far, as the API would have answered it in one piece."""
        choices = [
            {"index": index, "text": joined(pieces), "finish_reason": self._reasons.get(index)}
            for index, pieces in sorted(self._texts.items())
        ]
        return {**self._said, "choices": choices}


OPERATION = Operation(
    name="text_completion",
    read_request=read_request,
    read_response=read_response,
    make_accumulator=CompletionAccumulator,
    last_event="[DONE]",
    stream_usage=STREAM_USAGE,
)
