"""OpenAI's clients, and their responses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from adapters import openai_chat
from adapters.api import Api
from adapters.openai_chat import OpenAiChat, OpenAiChatAsync
from fake_provider import Answer, read_reply
from fake_provider.response_stream import response_events_of


def _stream(name: str = "response_text", **changes: Any) -> Answer:
    return Answer(events=response_events_of(read_reply(name)), **changes)


def _broken(words: str) -> Answer:
    begun = response_events_of(read_reply("response_text"))[:22]
    error = json.dumps({"error": {"message": words, "code": "x"}}).encode()
    return Answer(events=[*begun, b"event: error\ndata: " + error + b"\n\n"])


API = replace(
    openai_chat.API,
    model="gpt-5-mini",
    question_in="input",
    request={"gen_ai.provider.name": "openai", "openai.api.type": "responses"},
    response={
        "gen_ai.response.id": "resp_text_1",
        "gen_ai.response.model": "gpt-5-mini-2025-08-07",
        "gen_ai.response.finish_reasons": ("stop",),
        "openai.response.service_tier": "default",
        "gen_ai.usage.input_tokens": 1500,
        "gen_ai.usage.output_tokens": 96,
        "gen_ai.usage.cache_read.input_tokens": 1024,
        "gen_ai.usage.cache_write.input_tokens": 128,
        "gen_ai.usage.reasoning.output_tokens": 64,
    },
    answer_id="resp_text_1",
    # Reasoning comes first; then a word in each chunk.
    steps=22,
    partial="The ",
    events=22,
    chunks=31,
    plain=lambda **changes: Answer.reply("response_text", **changes),
    stream=_stream,
    broken=_broken,
    tools=lambda: Answer.reply("response_tools"),
    tools_stream=lambda: _stream("response_tools"),
    tool_calls=[("find_order", {"number": 4711}), ("run_query", "SELECT place FROM parcels")],
    text_of=lambda answer: answer.output_text,
    empty=[{"object": "response", "output": []}],
)


class _Responses:
    api: ClassVar[Api] = API
    takes_iterators: ClassVar[bool] = False
    text_type: ClassVar[str] = "input_text"
    readers: ClassVar[Mapping[str, Callable[[Any, Any], str]]] = {
        "events": lambda _, events: "".join(each.delta for each in events if each.type == "response.output_text.delta"),
        "until_done": lambda stream, _: str(API.text_of(stream._state._completed_response)),
        "get_final_response": lambda _, response: str(API.text_of(response)),
    }
    client: Any

    @property
    def resource(self) -> Any:
        return self.client.responses

    @property
    def helpers(self) -> Any:
        return self.resource


class OpenAiResponses(_Responses, OpenAiChat):
    """``openai.OpenAI``."""

    name: ClassVar[str] = "openai responses"
    owner: ClassVar[tuple[str, str, str]] = ("openai.resources.responses.responses", "Responses", "create")


class OpenAiResponsesAsync(_Responses, OpenAiChatAsync):
    """``openai.AsyncOpenAI``."""

    name: ClassVar[str] = "openai responses async"
    owner: ClassVar[tuple[str, str, str]] = ("openai.resources.responses.responses", "AsyncResponses", "create")
