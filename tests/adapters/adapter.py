"""What a test of the contract does with a client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol

from adapters.api import Api


class Adapter(Protocol):
    """One client of one provider, sync or async, speaking to the fake provider at ``url``."""

    name: ClassVar[str]
    api: ClassVar[Api]
    is_async: ClassVar[bool]
    module: ClassVar[str]
    """The module that the program imports."""
    logger: ClassVar[str | None]
    """The logger that the client writes to while it works, if it does."""
    owner: ClassVar[tuple[str, str, str]]
    """Module, class and method of the public method that the program calls."""
    patched: ClassVar[tuple[str, str, str]]
    """The same of the method below it, which is patched."""
    has_response: ClassVar[bool]
    """Whether streams and raw answers are objects around an HTTP response; else a stream is a generator."""
    takes_iterators: ClassVar[bool]
    """Whether the client takes an iterator of messages, and makes a list of it before it sends them."""
    stream_type: ClassVar[str]
    """The name of the class of a stream, where it is an object, in :attr:`module`."""
    readers: ClassVar[Mapping[str, Callable[[Any, Any], str]]]
    """How the stream of a helper is read to its end, and how the text is found in the stream or in what that gave."""
    has_helped_calls: ClassVar[bool]
    """Whether there is a helper that makes the whole call: :meth:`helped_call`."""
    runs_tools: ClassVar[bool]
    """Whether there is a helper that calls tools: :meth:`run_tools`."""
    client: Any

    def __init__(self, url: str, *, retries: int = 0) -> None: ...

    def kwargs(self, question: str = ..., **changes: Any) -> dict[str, Any]:
        """Arguments of a small call, made anew each time."""

    def several(self, question: str) -> dict[str, Any]:
        """The argument with the messages, as lists and dicts that can be changed."""

    def change(self, asked: dict[str, Any], question: str) -> None:
        """Change what :meth:`several` gave, as deep as it goes."""

    @property
    def method(self) -> Any:
        """The bound method that the program calls."""

    async def create(self, **changes: Any) -> Any:
        """The answer of a small call with ``changes``."""

    async def stream(self, **changes: Any) -> Any:
        """The same, streamed."""

    async def next(self, stream: Any) -> Any:
        """The next chunk."""

    async def drain(self, stream: Any) -> list[Any]:
        """All chunks that are left, in a loop of the client's own kind."""

    async def take_one(self, stream: Any) -> Any:
        """The first chunk of a loop that is left after it."""

    async def close(self, stream: Any) -> None:
        """Close it."""

    def helped_stream(self, **changes: Any) -> AbstractAsyncContextManager[Any]:
        """A stream by the client's helper: ``stream()``, or a chat's message. It is read and closed like another."""

    async def read_by(self, reader: str, stream: Any) -> Any:
        """What one of :attr:`readers` gives of that stream."""

    async def helped_call(self, **changes: Any) -> Any:
        """The answer by the client's helper: ``parse()``, or a chat's message."""

    async def run_tools(self) -> Any:
        """The last answer, by the helper that runs the tools that the model asks for; the first asks ``inside``."""

    async def at_once(self, changes: Sequence[dict[str, Any]]) -> list[Any]:
        """The answers of several calls made at the same time."""

    async def aclose(self) -> None:
        """Close the client."""


class ResponseAdapter(Adapter, Protocol):
    """One whose streams and raw answers are objects around an HTTP response."""

    def opened(self, stream: Any) -> AbstractAsyncContextManager[Any]:
        """``with stream``."""

    async def raw(self, **changes: Any) -> Any:
        """The raw response, whose body has come."""

    async def parse(self, raw: Any) -> Any:
        """What it means."""

    def raw_streaming(self, **changes: Any) -> AbstractAsyncContextManager[Any]:
        """The raw response, whose body the program reads itself."""

    async def lines(self, raw: Any) -> list[str]:
        """The lines of its body."""
