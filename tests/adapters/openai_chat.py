"""OpenAI's clients, and their chat completions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from adapters.api import Api
from adapters.stainless import AsyncClient, SyncClient
from fake_provider import Answer, events_of, read_reply
from fake_provider.chat_stream import event

ERRORS = {400: "openai.BadRequestError", 401: "openai.AuthenticationError", 500: "openai.InternalServerError"}

API = Api(
    model="gpt-4.1-mini",
    asked={},
    question_in="messages",
    ask=lambda question: [{"role": "user", "content": question}],
    operation="chat",
    request={"gen_ai.provider.name": "openai", "openai.api.type": "chat_completions"},
    response={
        "gen_ai.response.id": "chatcmpl-text-1",
        "gen_ai.response.model": "gpt-4.1-mini-2025-04-14",
        "gen_ai.response.finish_reasons": ("stop",),
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_44709d6fcb",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 48,
        "gen_ai.usage.cache_read.input_tokens": 1024,
        "gen_ai.usage.reasoning.output_tokens": 16,
    },
    answer_id="chatcmpl-text-1",
    text="The parcel left Rotterdam on Tuesday.",
    # The first chunk has the role and no text; the text comes in four chunks after it.
    steps=2,
    partial="The parcel",
    events=2,
    chunks=7,
    plain=Answer.reply,
    stream=Answer.stream,
    error=Answer.error,
    broken=lambda words: Answer(
        events=[*events_of(read_reply("chat_text"))[:2], event({"error": {"message": words, "code": "x"}})]
    ),
    tools=lambda: Answer.reply("chat_tools"),
    tools_stream=lambda: Answer.stream("chat_tools"),
    tool_calls=[("find_order", {"number": 4711}), ("weather", {"city": "Rotterdam", "days": [1, 2]})],
    errors=ERRORS,
    stream_error="openai.APIError",
    text_of=lambda answer: answer.choices[0].message.content,
    id_of=lambda answer: answer.id,
    empty=[{**read_reply("chat_text"), "choices": None, "usage": None, "model": None, "id": None}, {}],
)


class _Chat:
    """What both clients have in common."""

    api: ClassVar[Api] = API
    module: ClassVar[str] = "openai"
    logger: ClassVar[str | None] = "openai._base_client"
    readers: ClassVar[Mapping[str, Callable[[Any, Any], str]]] = {
        "events": lambda _, events: "".join(event.delta for event in events if event.type == "content.delta"),
        "until_done": lambda stream, _: str(API.text_of(stream.current_completion_snapshot)),
        "get_final_completion": lambda _, completion: str(API.text_of(completion)),
    }
    client: Any

    @property
    def resource(self) -> Any:
        return self.client.chat.completions

    @property
    def helpers(self) -> Any:
        # Older clients have them under `beta`.
        completions = self.resource
        return completions if hasattr(completions, "parse") else self.client.beta.chat.completions


class OpenAiChat(_Chat, SyncClient):
    """``openai.OpenAI``."""

    name: ClassVar[str] = "openai"
    owner: ClassVar[tuple[str, str, str]] = ("openai.resources.chat.completions", "Completions", "create")
    patched: ClassVar[tuple[str, str, str]] = ("openai._base_client", "SyncAPIClient", "request")

    def __init__(self, url: str, *, retries: int = 0) -> None:
        import openai

        self.client = openai.OpenAI(api_key="sk-test", base_url=f"{url}/v1", max_retries=retries)


class OpenAiChatAsync(_Chat, AsyncClient):
    """``openai.AsyncOpenAI``."""

    name: ClassVar[str] = "openai async"
    owner: ClassVar[tuple[str, str, str]] = ("openai.resources.chat.completions", "AsyncCompletions", "create")
    patched: ClassVar[tuple[str, str, str]] = ("openai._base_client", "AsyncAPIClient", "request")

    def __init__(self, url: str, *, retries: int = 0) -> None:
        import openai

        self.client = openai.AsyncOpenAI(api_key="sk-test", base_url=f"{url}/v1", max_retries=retries)
