"""What a test of the contract does with a client."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol


class Adapter(Protocol):
    """One client of one provider, sync or async, speaking to the fake provider at ``base_url``."""

    name: ClassVar[str]
    is_async: ClassVar[bool]
    module: ClassVar[str]
    """The module that the program imports."""
    owner: ClassVar[tuple[str, str, str]]
    """Module, class and method of the patched method."""
    stream_type: ClassVar[str]
    """The name of the class of a stream in :attr:`module`."""
    client: Any

    def __init__(self, base_url: str, *, retries: int = 0) -> None: ...

    def kwargs(self, *, stream: bool = False) -> dict[str, Any]:
        """Arguments of a small call, made anew each time."""

    @property
    def method(self) -> Any:
        """The bound method of the client that is patched."""

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

    async def at_once(self, changes: Sequence[dict[str, Any]]) -> list[Any]:
        """The answers of several calls made at the same time."""

    async def aclose(self) -> None:
        """Close the client."""
