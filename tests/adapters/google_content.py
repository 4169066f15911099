"""Google's client, and the content that it generates. Its streams are generators, and it has no raw answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, closing
from functools import wraps
from typing import Any, ClassVar

from adapters.api import Api
from fake_provider import google
from google_clients.tools import find_order, weather

QUESTION = "Where is my parcel?"

API = Api(
    model="gemini-2.5-flash",
    asked={},
    question_in="contents",
    ask=lambda question: question,
    operation="generate_content",
    request={"gen_ai.provider.name": "gcp.gemini"},
    response={
        "gen_ai.response.id": "gemini-text-1",
        "gen_ai.response.model": "gemini-2.5-flash",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.text.input_tokens": 12,
        "gen_ai.usage.text.output_tokens": 7,
    },
    answer_id="gemini-text-1",
    text="Your parcel is in Rotterdam.",
    steps=2,
    partial="Your parcel is",
    events=2,
    chunks=4,
    plain=google.reply,
    stream=google.stream,
    error=google.error,
    broken=lambda words: google.broken_stream(message=words),
    tools=lambda: google.reply("gemini_tools"),
    tools_stream=lambda: google.stream("gemini_tools"),
    tool_calls=[("find_order", {"number": 4711}), ("weather", {"city": "Rotterdam"})],
    errors={400: "google.genai.errors.ClientError", 500: "google.genai.errors.ServerError"},
    stream_error="google.genai.errors.ServerError",
    text_of=lambda answer: answer.text,
    id_of=lambda answer: getattr(answer, "response_id", None) or API.answer_id,
    empty=[{"candidates": None, "usageMetadata": None}],
)


class _Content:
    """What both sides of the client have in common."""

    api: ClassVar[Api] = API
    module: ClassVar[str] = "google.genai"
    logger: ClassVar[str | None] = None
    has_response: ClassVar[bool] = False
    takes_iterators: ClassVar[bool] = False
    stream_type: ClassVar[str] = ""
    readers: ClassVar[Mapping[str, Callable[[Any, Any], str]]] = {
        "chunks": lambda _, chunks: "".join(chunk.text for chunk in chunks)
    }
    has_helped_calls: ClassVar[bool] = True
    runs_tools: ClassVar[bool] = True
    client: Any
    models: Any

    def __init__(self, url: str, *, retries: int = 0) -> None:
        from google import genai

        self.client = genai.Client(api_key="test", http_options={"base_url": url})

    def kwargs(self, question: str = QUESTION, **changes: Any) -> dict[str, Any]:
        return {"model": API.model, "contents": question, **changes}

    def several(self, question: str) -> dict[str, Any]:
        return {"contents": [{"role": "user", "parts": [{"text": question}]}]}

    def change(self, asked: dict[str, Any], question: str) -> None:
        asked["contents"][0]["parts"][0]["text"] = question
        asked["contents"].append({"role": "user", "parts": [{"text": question}]})

    @property
    def tools(self) -> list[Any]:
        """What the model asks for. They are no coroutine functions: the oldest client runs none."""

        @wraps(find_order)
        def asking(number: int) -> str:
            return str(self.client.models.generate_content(**self.kwargs(model="inside")).text)

        return [asking, weather]

    @property
    def method(self) -> Any:
        return self.models.generate_content


async def _close(client: Any) -> None:
    """Close both sides; the oldest client leaves that to the collector."""
    inner = client._api_client
    if hasattr(client, "close"):
        client.close()
    elif inner._httpx_client is not None:
        inner._httpx_client.close()
    if hasattr(client.aio, "aclose"):
        await client.aio.aclose()
    elif inner._async_httpx_client is not None:
        await inner._async_httpx_client.aclose()


class GoogleContent(_Content):
    """``google.genai.Client``."""

    name: ClassVar[str] = "google"
    is_async: ClassVar[bool] = False
    owner: ClassVar[tuple[str, str, str]] = ("google.genai.models", "Models", "generate_content")
    patched: ClassVar[tuple[str, str, str]] = ("google.genai._api_client", "BaseApiClient", "request")

    @property
    def models(self) -> Any:
        return self.client.models

    async def create(self, **changes: Any) -> Any:
        return self.method(**self.kwargs(**changes))

    async def stream(self, **changes: Any) -> Any:
        return self.models.generate_content_stream(**self.kwargs(**changes))

    async def next(self, stream: Any) -> Any:
        return next(stream)

    async def drain(self, stream: Any) -> list[Any]:
        return list(stream)

    async def take_one(self, stream: Any) -> Any:
        for chunk in stream:
            return chunk
        return None

    async def close(self, stream: Any) -> None:
        stream.close()

    @asynccontextmanager
    async def helped_stream(self, *, model: str = API.model, question: str = QUESTION) -> AsyncIterator[Any]:
        with closing(self.client.chats.create(model=model).send_message_stream(question)) as stream:
            yield stream

    async def read_by(self, reader: str, stream: Any) -> Any:
        return await self.drain(stream)

    async def helped_call(self, *, model: str = API.model, question: str = QUESTION) -> Any:
        return self.client.chats.create(model=model).send_message(question)

    async def run_tools(self) -> Any:
        return self.method(**self.kwargs(), config={"tools": self.tools})

    async def at_once(self, changes: Sequence[dict[str, Any]]) -> list[Any]:
        def call(more: dict[str, Any]) -> Any:
            return self.method(**self.kwargs(**more))

        return list(await asyncio.gather(*(asyncio.to_thread(call, more) for more in changes)))

    async def aclose(self) -> None:
        await _close(self.client)


class GoogleContentAsync(_Content):
    """The asynchronous side of ``google.genai.Client``."""

    name: ClassVar[str] = "google async"
    is_async: ClassVar[bool] = True
    owner: ClassVar[tuple[str, str, str]] = ("google.genai.models", "AsyncModels", "generate_content")
    patched: ClassVar[tuple[str, str, str]] = ("google.genai._api_client", "BaseApiClient", "async_request")

    @property
    def models(self) -> Any:
        return self.client.aio.models

    async def create(self, **changes: Any) -> Any:
        return await self.method(**self.kwargs(**changes))

    async def stream(self, **changes: Any) -> Any:
        return await self.models.generate_content_stream(**self.kwargs(**changes))

    async def next(self, stream: Any) -> Any:
        return await stream.__anext__()

    async def drain(self, stream: Any) -> list[Any]:
        return [chunk async for chunk in stream]

    async def take_one(self, stream: Any) -> Any:
        async for chunk in stream:
            return chunk
        return None

    async def close(self, stream: Any) -> None:
        await stream.aclose()

    @asynccontextmanager
    async def helped_stream(self, *, model: str = API.model, question: str = QUESTION) -> AsyncIterator[Any]:
        async with aclosing(await self.client.aio.chats.create(model=model).send_message_stream(question)) as stream:
            yield stream

    async def read_by(self, reader: str, stream: Any) -> Any:
        return await self.drain(stream)

    async def helped_call(self, *, model: str = API.model, question: str = QUESTION) -> Any:
        return await self.client.aio.chats.create(model=model).send_message(question)

    async def run_tools(self) -> Any:
        return await self.method(**self.kwargs(), config={"tools": self.tools})

    async def at_once(self, changes: Sequence[dict[str, Any]]) -> list[Any]:
        return list(await asyncio.gather(*(self.create(**more) for more in changes)))

    async def aclose(self) -> None:
        await _close(self.client)
