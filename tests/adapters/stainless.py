"""What OpenAI's and Anthropic's clients have in common, for both kinds of them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar

from adapters.api import Api

QUESTION = "Where is my parcel?"


class Client:
    """A client, and the resource that a call is made on."""

    api: ClassVar[Api]
    has_response: ClassVar[bool] = True
    takes_iterators: ClassVar[bool] = True
    text_type: ClassVar[str] = "text"
    readers: ClassVar[Mapping[str, Callable[[Any, Any], str]]]
    has_helped_calls: ClassVar[bool] = True
    runs_tools: ClassVar[bool] = False
    client: Any
    resource: Any

    @property
    def helpers(self) -> Any:
        """What has ``parse()`` and ``stream()``."""
        return self.resource

    def kwargs(self, question: str = QUESTION, **changes: Any) -> dict[str, Any]:
        api = self.api
        return {"model": api.model, **api.asked, api.question_in: api.ask(question), **changes}

    def several(self, question: str) -> dict[str, Any]:
        return {self.api.question_in: [{"role": "user", "content": [{"type": self.text_type, "text": question}]}]}

    def change(self, asked: dict[str, Any], question: str) -> None:
        messages = asked[self.api.question_in]
        messages[0]["content"][0]["text"] = question
        messages.append({"role": "user", "content": question})

    @property
    def method(self) -> Any:
        return self.resource.create


class SyncClient(Client):
    """A synchronous one."""

    is_async: ClassVar[bool] = False
    stream_type: ClassVar[str] = "Stream"

    async def create(self, **changes: Any) -> Any:
        return self.method(**self.kwargs(**changes))

    async def stream(self, **changes: Any) -> Any:
        return self.method(**self.kwargs(**changes), stream=True)

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

    def helped_stream(self, **changes: Any) -> AbstractAsyncContextManager[Any]:
        return self.opened(self.helpers.stream(**self.kwargs(**changes)))

    async def read_by(self, reader: str, stream: Any) -> Any:
        if reader == "events":
            return list(stream)
        read = getattr(stream, reader)
        return read() if callable(read) else list(read)

    async def helped_call(self, **changes: Any) -> Any:
        return self.helpers.parse(**self.kwargs(**changes))

    async def raw(self, **changes: Any) -> Any:
        return self.resource.with_raw_response.create(**self.kwargs(**changes))

    async def parse(self, raw: Any) -> Any:
        return raw.parse()

    @asynccontextmanager
    async def raw_streaming(self, **changes: Any) -> AsyncIterator[Any]:
        with self.resource.with_streaming_response.create(**self.kwargs(**changes)) as raw:
            yield raw

    async def lines(self, raw: Any) -> list[str]:
        return list(raw.iter_lines())

    async def at_once(self, changes: Sequence[dict[str, Any]]) -> list[Any]:
        def call(more: dict[str, Any]) -> Any:
            return self.method(**self.kwargs(**more))

        return list(await asyncio.gather(*(asyncio.to_thread(call, more) for more in changes)))

    async def aclose(self) -> None:
        self.client.close()


class AsyncClient(Client):
    """An asynchronous one."""

    is_async: ClassVar[bool] = True
    stream_type: ClassVar[str] = "AsyncStream"

    async def create(self, **changes: Any) -> Any:
        return await self.method(**self.kwargs(**changes))

    async def stream(self, **changes: Any) -> Any:
        return await self.method(**self.kwargs(**changes), stream=True)

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

    def helped_stream(self, **changes: Any) -> AbstractAsyncContextManager[Any]:
        return self.opened(self.helpers.stream(**self.kwargs(**changes)))

    async def read_by(self, reader: str, stream: Any) -> Any:
        if reader == "events":
            return [event async for event in stream]
        read = getattr(stream, reader)
        return await read() if callable(read) else [each async for each in read]

    async def helped_call(self, **changes: Any) -> Any:
        return await self.helpers.parse(**self.kwargs(**changes))

    async def raw(self, **changes: Any) -> Any:
        return await self.resource.with_raw_response.create(**self.kwargs(**changes))

    async def parse(self, raw: Any) -> Any:
        parsed = raw.parse()
        return await parsed if inspect.iscoroutine(parsed) else parsed

    @asynccontextmanager
    async def raw_streaming(self, **changes: Any) -> AsyncIterator[Any]:
        async with self.resource.with_streaming_response.create(**self.kwargs(**changes)) as raw:
            yield raw

    async def lines(self, raw: Any) -> list[str]:
        return [line async for line in raw.iter_lines()]

    async def at_once(self, changes: Sequence[dict[str, Any]]) -> list[Any]:
        return list(await asyncio.gather(*(self.create(**more) for more in changes)))

    async def aclose(self) -> None:
        await self.client.close()
