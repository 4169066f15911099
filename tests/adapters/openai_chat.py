"""OpenAI's clients, and their chat completions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

OWNER = "openai.resources.chat.completions"


class _Chat:
    """What both clients have in common."""

    module: ClassVar[str] = "openai"
    client: Any

    def kwargs(self, *, stream: bool = False) -> dict[str, Any]:
        asked = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}
        return {**asked, "stream": True} if stream else asked

    @property
    def method(self) -> Any:
        return self.client.chat.completions.create


class OpenAiChat(_Chat):
    """``openai.OpenAI``."""

    name: ClassVar[str] = "openai"
    is_async: ClassVar[bool] = False
    owner: ClassVar[tuple[str, str, str]] = (OWNER, "Completions", "create")
    stream_type: ClassVar[str] = "Stream"

    def __init__(self, base_url: str, *, retries: int = 0) -> None:
        import openai

        self.client = openai.OpenAI(api_key="sk-test", base_url=base_url, max_retries=retries)

    async def create(self, **changes: Any) -> Any:
        return self.method(**{**self.kwargs(), **changes})

    async def stream(self, **changes: Any) -> Any:
        return self.method(**{**self.kwargs(stream=True), **changes})

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
    async def opened(self, stream: Any) -> AsyncIterator[Any]:
        with stream as entered:
            yield entered

    async def raw(self, **changes: Any) -> Any:
        return self.client.chat.completions.with_raw_response.create(**{**self.kwargs(), **changes})

    async def parse(self, raw: Any) -> Any:
        return raw.parse()

    @asynccontextmanager
    async def raw_streaming(self, **changes: Any) -> AsyncIterator[Any]:
        resource = self.client.chat.completions.with_streaming_response
        with resource.create(**{**self.kwargs(), **changes}) as raw:
            yield raw

    async def lines(self, raw: Any) -> list[str]:
        return list(raw.iter_lines())

    async def at_once(self, changes: Sequence[dict[str, Any]]) -> list[Any]:
        def call(more: dict[str, Any]) -> Any:
            return self.method(**{**self.kwargs(), **more})

        return list(await asyncio.gather(*(asyncio.to_thread(call, more) for more in changes)))

    async def aclose(self) -> None:
        self.client.close()


class OpenAiChatAsync(_Chat):
    """``openai.AsyncOpenAI``."""

    name: ClassVar[str] = "openai async"
    is_async: ClassVar[bool] = True
    owner: ClassVar[tuple[str, str, str]] = (OWNER, "AsyncCompletions", "create")
    stream_type: ClassVar[str] = "AsyncStream"

    def __init__(self, base_url: str, *, retries: int = 0) -> None:
        import openai

        self.client = openai.AsyncOpenAI(api_key="sk-test", base_url=base_url, max_retries=retries)

    async def create(self, **changes: Any) -> Any:
        return await self.method(**{**self.kwargs(), **changes})

    async def stream(self, **changes: Any) -> Any:
        return await self.method(**{**self.kwargs(stream=True), **changes})

    async def next(self, stream: Any) -> Any:
        return await stream.__anext__()

    async def drain(self, stream: Any) -> list[Any]:
        return [chunk async for chunk in stream]

    async def take_one(self, stream: Any) -> Any:
        async for chunk in stream:
            return chunk
        return None

    async def close(self, stream: Any) -> None:
        await stream.close()

    @asynccontextmanager
    async def opened(self, stream: Any) -> AsyncIterator[Any]:
        async with stream as entered:
            yield entered

    async def raw(self, **changes: Any) -> Any:
        return await self.client.chat.completions.with_raw_response.create(**{**self.kwargs(), **changes})

    async def parse(self, raw: Any) -> Any:
        parsed = raw.parse()
        return await parsed if asyncio.iscoroutine(parsed) else parsed

    @asynccontextmanager
    async def raw_streaming(self, **changes: Any) -> AsyncIterator[Any]:
        resource = self.client.chat.completions.with_streaming_response
        async with resource.create(**{**self.kwargs(), **changes}) as raw:
            yield raw

    async def lines(self, raw: Any) -> list[str]:
        return [line async for line in raw.iter_lines()]

    async def at_once(self, changes: Sequence[dict[str, Any]]) -> list[Any]:
        return list(await asyncio.gather(*(self.create(**more) for more in changes)))

    async def aclose(self) -> None:
        await self.client.close()
