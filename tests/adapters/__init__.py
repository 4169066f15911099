"""The clients that the contract is tested with. A new provider adds an adapter, and brings no test of its own.

Every verb is a coroutine function, so that one test serves both kinds of client: a synchronous client's verbs wait for
nothing. What they are called with and what they return are the client's own objects.
"""

from __future__ import annotations

from importlib import metadata

from adapters.adapter import Adapter, ResponseAdapter
from adapters.anthropic_messages import AnthropicMessages, AnthropicMessagesAsync
from adapters.google_content import GoogleContent, GoogleContentAsync
from adapters.openai_chat import OpenAiChat, OpenAiChatAsync
from adapters.openai_responses import OpenAiResponses, OpenAiResponsesAsync

_OPENAI = tuple(map(int, metadata.version("openai").split(".")[:2]))
_GOOGLE = tuple(map(int, metadata.version("google-genai").split(".")[:2]))

# The oldest client that is supported knows no responses.
_RESPONSES: tuple[type[Adapter], ...] = (OpenAiResponses, OpenAiResponsesAsync) if _OPENAI >= (1, 66) else ()

ADAPTERS: tuple[type[Adapter], ...] = (
    OpenAiChat,
    OpenAiChatAsync,
    *_RESPONSES,
    AnthropicMessages,
    AnthropicMessagesAsync,
    GoogleContent,
    GoogleContentAsync,
)
ASYNC_ADAPTERS: tuple[type[Adapter], ...] = tuple(adapter for adapter in ADAPTERS if adapter.is_async)
RESPONSE_ADAPTERS: tuple[type[Adapter], ...] = tuple(adapter for adapter in ADAPTERS if adapter.has_response)
GENERATING_ADAPTERS: tuple[type[Adapter], ...] = tuple(adapter for adapter in ADAPTERS if not adapter.has_response)

# The oldest of Google's clients takes an error in a stream for a chunk.
TELLING_ADAPTERS: tuple[type[Adapter], ...] = tuple(
    adapter for adapter in ADAPTERS if adapter.has_response or metadata.version("google-genai") >= "2"
)

# An older one of Google's clients never tries again, and has no method that does one attempt.
RETRYING_ADAPTERS: tuple[type[Adapter], ...] = tuple(
    adapter for adapter in ADAPTERS if adapter.has_response or _GOOGLE >= (1, 21)
)

# The oldest of Anthropic's clients has no helper but that for streams.
HELPED_ADAPTERS: tuple[type[Adapter], ...] = tuple(adapter for adapter in ADAPTERS if adapter.has_helped_calls)
RUNNING_ADAPTERS: tuple[type[Adapter], ...] = tuple(adapter for adapter in ADAPTERS if adapter.runs_tools)

__all__ = [
    "ADAPTERS",
    "ASYNC_ADAPTERS",
    "GENERATING_ADAPTERS",
    "HELPED_ADAPTERS",
    "RESPONSE_ADAPTERS",
    "RETRYING_ADAPTERS",
    "RUNNING_ADAPTERS",
    "TELLING_ADAPTERS",
    "Adapter",
    "ResponseAdapter",
]
