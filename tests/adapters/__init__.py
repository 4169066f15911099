"""The clients that the contract is tested with. A new provider adds an adapter, and brings no test of its own.

Every verb is a coroutine function, so that one test serves both kinds of client: a synchronous client's verbs wait for
nothing. What they are called with and what they return are the client's own objects.
"""

from __future__ import annotations

from adapters.adapter import Adapter
from adapters.openai_chat import OpenAiChat, OpenAiChatAsync

ADAPTERS: tuple[type[Adapter], ...] = (OpenAiChat, OpenAiChatAsync)
ASYNC_ADAPTERS: tuple[type[Adapter], ...] = tuple(adapter for adapter in ADAPTERS if adapter.is_async)

__all__ = ["ADAPTERS", "ASYNC_ADAPTERS", "Adapter"]
