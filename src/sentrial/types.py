"""The plain values that pass between the layers: what a client's objects mean, in the words of the conventions.

A reader of a client (``_providers``) makes them, a writer of spans (``_spans``) turns them into attributes.
They hold no client object and no OpenTelemetry object. What is made for each call is a named tuple: as frozen as a
frozen dataclass, and made in a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message: its ``type`` in the message schema of the conventions, and that type's own fields."""

    type: str
    fields: Mapping[str, Any]

    @classmethod
    def text(cls, content: str) -> Part:
        """Plain text."""
        return cls("text", {"content": content})

    @classmethod
    def reasoning(cls, content: str) -> Part:
        """What a model thought before it answered."""
        return cls("reasoning", {"content": content})

    @classmethod
    def tool_call(cls, name: str, call_id: str | None, arguments: object) -> Part:
        """A model's request to run a tool; ``arguments`` decoded where they were a JSON string."""
        fields: dict[str, Any] = {"name": name, "arguments": arguments}
        if call_id:
            fields["id"] = call_id
        return cls("tool_call", fields)

    @classmethod
    def tool_call_response(cls, call_id: str | None, response: object) -> Part:
        """What a tool answered."""
        fields: dict[str, Any] = {"response": response}
        if call_id:
            fields["id"] = call_id
        return cls("tool_call_response", fields)

    def to_json(self) -> dict[str, Any]:
        """The part as the conventions' JSON object."""
        return {"type": self.type, **self.fields}


@dataclass(frozen=True, slots=True)
class Message:
    """One message to or from a model: ``role`` is ``system``, ``user``, ``assistant`` or ``tool``.

    ``finish_reason``: why the model ended it. The conventions have it on the span now (``LlmResponse.finish_reasons``),
    but their released schema demands it, and readers that hold to that (Phoenix 20) show no answer without it.
    """

    role: str
    parts: Sequence[Part]
    name: str | None = None
    finish_reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The message as the conventions' JSON object."""
        message: dict[str, Any] = {"role": self.role, "parts": [part.to_json() for part in self.parts]}
        if self.name is not None:
            message["name"] = self.name
        if self.finish_reason is not None:
            message["finish_reason"] = self.finish_reason
        return message


@dataclass(frozen=True, slots=True)
class Deferred(Generic[T]):
    """A value that is read later: ``value`` as the program had it, and the pure function that will read it.

    The user's thread only takes a snapshot of ``value``; ``read`` runs on our own thread and gets that snapshot.
    """

    value: Any
    read: Callable[[Any], T]


class Usage(NamedTuple):
    """Tokens of one model call, as the provider billed them, and what else it says of their price. ``None`` is "not
    said", never zero.

    ``input_tokens`` includes cached tokens of both kinds, ``output_tokens`` includes reasoning tokens; the others are
    parts of these two (GenAI conventions, "Token usage"). ``undivided_tokens``: where only the sum of both was said.
    ``hour_cache_write_tokens``: those of ``cache_write_tokens`` that are kept for an hour, which costs more.
    ``web_searches``: how often the provider has searched the web for the call, which it charges besides.
    ``stated_cost``: dollars, where the provider says what the call costs; it comes before any price list.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    text_input_tokens: int | None = None
    image_input_tokens: int | None = None
    audio_input_tokens: int | None = None
    text_output_tokens: int | None = None
    image_output_tokens: int | None = None
    audio_output_tokens: int | None = None
    text_cache_read_tokens: int | None = None
    image_cache_read_tokens: int | None = None
    audio_cache_read_tokens: int | None = None
    undivided_tokens: int | None = None
    hour_cache_write_tokens: int | None = None
    web_searches: int | None = None
    stated_cost: float | None = None


class LlmRequest(NamedTuple):
    """A call to a model, as far as it is known before the answer. ``None`` is "not given".

    ``conversation_id``: where the API keeps the history under an id that the program names. ``response_id`` and
    ``stream_cursor``: of a stored answer that is fetched, and from where on. ``prompt_variables``: by name.
    ``system``: instructions that stand apart from the messages. ``unread``: content was given in a form that cannot be
    looked at without using it up, an iterator.
    """

    operation: str
    provider: str
    model: str | None = None
    stream: bool = False
    server_address: str | None = None
    server_port: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: Sequence[str] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    choice_count: int | None = None
    reasoning_level: str | None = None
    output_type: str | None = None
    api_type: str | None = None
    service_tier: str | None = None
    previous_response_id: str | None = None
    conversation_id: str | None = None
    response_id: str | None = None
    stream_cursor: str | None = None
    encoding_formats: Sequence[str] | None = None
    dimension_count: int | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    prompt_variables: Mapping[str, Any] | None = None
    guardrail_id: str | None = None
    system: Deferred[Sequence[Part]] | None = None
    input: Deferred[Sequence[Message]] | None = None
    tools: Deferred[Sequence[Mapping[str, Any]]] | None = None
    unread: bool = False


class LlmResponse(NamedTuple):
    """A model's answer, or the part of it that came before a stream broke off. ``None`` is "not said".

    ``pending``: whether it is still being made, or was when the stream of it broke off: its tokens come when it is
    fetched. ``status`` and ``made_usage``: of a stored answer that was fetched, the latter what its making took.
    ``compacted``: whether the history was replaced by a summary.
    ``error``: what the API says went wrong, ``{"type": code, "message": words}``, in an answer that reports a failure.
    """

    id: str | None = None
    model: str | None = None
    finish_reasons: Sequence[str] = ()
    usage: Usage | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    status: str | None = None
    pending: bool = False
    made_usage: Usage | None = None
    compacted: bool | None = None
    dimension_count: int | None = None
    error: Mapping[str, Any] | None = None
    tool_call_ids: Sequence[str] = ()
    output: Deferred[Sequence[Message]] | None = None
