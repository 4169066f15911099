"""Anthropic's clients, and their messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, ClassVar

from adapters.api import Api
from adapters.stainless import AsyncClient, SyncClient
from fake_provider import Answer, anthropic

NEWER = find_spec("anthropic.lib.tools") is not None
"""Whether the client has ``parse()`` and runs tools."""

KINDS = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 500: "api_error"}

API = Api(
    model="claude-opus-4-5",
    asked={"max_tokens": 200},
    question_in="messages",
    ask=lambda question: [{"role": "user", "content": question}],
    operation="chat",
    request={"gen_ai.provider.name": "anthropic", "gen_ai.request.max_tokens": 200},
    response={
        "gen_ai.response.id": "msg_01Text",
        "gen_ai.response.model": "claude-opus-4-5-20251101",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 21,
        "gen_ai.usage.output_tokens": 13,
    },
    answer_id="msg_01Text",
    text="Your parcel left Lisbon this morning and arrives tomorrow.",
    # The message begins, its block begins, and a piece of it comes; the client keeps the ping to itself.
    steps=3,
    partial="Your parcel lef",
    events=4,
    chunks=9,
    plain=lambda **changes: Answer.reply("message_text", **changes),
    stream=anthropic.message_stream,
    error=lambda status, words: anthropic.error(status, KINDS[status], words),
    broken=lambda words: anthropic.error_in_stream("overloaded_error", after=4, message=words),
    tools=lambda: Answer.reply("message_tools"),
    tools_stream=lambda: anthropic.message_stream("message_tools"),
    tool_calls=[("track_parcel", {"number": "PT-77", "detailed": True})],
    errors={
        400: "anthropic.BadRequestError",
        401: "anthropic.AuthenticationError",
        500: "anthropic.InternalServerError",
    },
    stream_error="anthropic.APIStatusError",
    text_of=lambda answer: answer.content[0].text,
    id_of=lambda answer: answer.id,
    empty=[{"id": None, "content": None, "usage": None, "model": None}, {}],
)


class _Messages:
    """What both clients have in common."""

    api: ClassVar[Api] = API
    module: ClassVar[str] = "anthropic"
    logger: ClassVar[str | None] = "anthropic._base_client"
    readers: ClassVar[Mapping[str, Callable[[Any, Any], str]]] = {
        "events": lambda _, events: "".join(event.text for event in events if event.type == "text"),
        "text_stream": lambda _, texts: "".join(texts),
        "until_done": lambda stream, _: str(API.text_of(stream.current_message_snapshot)),
        "get_final_message": lambda _, message: str(API.text_of(message)),
        "get_final_text": lambda _, text: str(text),
    }
    has_helped_calls: ClassVar[bool] = NEWER
    runs_tools: ClassVar[bool] = NEWER
    client: Any

    @property
    def resource(self) -> Any:
        return self.client.messages


class AnthropicMessages(_Messages, SyncClient):
    """``anthropic.Anthropic``."""

    name: ClassVar[str] = "anthropic"
    owner: ClassVar[tuple[str, str, str]] = ("anthropic.resources.messages", "Messages", "create")
    patched: ClassVar[tuple[str, str, str]] = ("anthropic._base_client", "SyncAPIClient", "request")

    def __init__(self, url: str, *, retries: int = 0) -> None:
        import anthropic as library

        self.client = library.Anthropic(api_key="sk-test", base_url=url, max_retries=retries)

    async def run_tools(self) -> Any:
        from anthropic import beta_tool

        @beta_tool
        def track_parcel(number: str, detailed: bool) -> str:
            """Where a parcel is."""
            return str(API.text_of(self.method(**self.kwargs(model="inside"))))

        return self.client.beta.messages.tool_runner(**self.kwargs(), tools=[track_parcel]).until_done()


class AnthropicMessagesAsync(_Messages, AsyncClient):
    """``anthropic.AsyncAnthropic``."""

    name: ClassVar[str] = "anthropic async"
    owner: ClassVar[tuple[str, str, str]] = ("anthropic.resources.messages", "AsyncMessages", "create")
    patched: ClassVar[tuple[str, str, str]] = ("anthropic._base_client", "AsyncAPIClient", "request")

    def __init__(self, url: str, *, retries: int = 0) -> None:
        import anthropic as library

        self.client = library.AsyncAnthropic(api_key="sk-test", base_url=url, max_retries=retries)

    async def run_tools(self) -> Any:
        from anthropic import beta_async_tool

        @beta_async_tool
        async def track_parcel(number: str, detailed: bool) -> str:
            """Where a parcel is."""
            return str(API.text_of(await self.method(**self.kwargs(model="inside"))))

        return await self.client.beta.messages.tool_runner(**self.kwargs(), tools=[track_parcel]).until_done()
