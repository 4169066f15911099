"""An agent's conversation: the model asks for tools, gets what they give, and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.tools import tool

from fake_provider import Answer, FakeProvider
from fake_provider import google as google_api
from fake_provider.anthropic import message_stream

QUESTION = "Where is my parcel?"
NAMED = {',"name":"tracker"}': "}", '"name":"tracker",': ""}
"""What newer versions of LangChain add to the messages of an agent of that name, for a scenario to leave out."""


@tool
def find_order(number: int) -> str:
    """Find an order by its number."""
    return f"order {number}"


@tool
def weather(city: str, days: Sequence[int] = ()) -> str:
    """What the weather will be."""
    return f"rain in {city}"


@tool
def track_parcel(number: str, detailed: bool = False) -> str:
    """Where a parcel is."""
    return f"{number} is in Lisbon"


TOOLS = (find_order, weather, track_parcel)


@dataclass(frozen=True)
class Conversation:
    """Two calls of a model with the tools between them, as the replies in ``tests/replies`` have it.

    Attributes:
        plain: what the server answers, in one piece each.
        streamed: the same as streams.
        calls: names and arguments of the tools that are asked for, all in the first answer.
        results: what these tools give.
        answer: the text of the second answer.
        usage: what the server charges for both, in the words of LangChain's ``usage_metadata``.
    """

    plain: Sequence[Callable[[], Answer]]
    streamed: Sequence[Callable[[], Answer]]
    calls: Sequence[tuple[str, Mapping[str, Any]]]
    results: Sequence[str]
    answer: str
    usage: Mapping[str, int]

    def queue(self, server: FakeProvider, *, stream: bool = False, times: int = 1) -> None:
        """Let ``server`` answer so, ``times`` in a row."""
        for _ in range(times):
            server.queue(*(make() for make in (self.streamed if stream else self.plain)))


OPENAI = Conversation(
    plain=(lambda: Answer.reply("chat_tools"), Answer.reply),
    streamed=(lambda: Answer.stream("chat_tools"), Answer.stream),
    calls=(("find_order", {"number": 4711}), ("weather", {"city": "Rotterdam", "days": [1, 2]})),
    results=("order 4711", "rain in Rotterdam"),
    answer="The parcel left Rotterdam on Tuesday.",
    usage={"input_tokens": 90 + 1200, "output_tokens": 31 + 48, "cache_read": 1024, "reasoning": 16},
)
ANTHROPIC = Conversation(
    plain=(lambda: Answer.reply("message_tools"), lambda: Answer.reply("message_text")),
    streamed=(lambda: message_stream("message_tools"), message_stream),
    calls=(("track_parcel", {"number": "PT-77", "detailed": True}),),
    results=("PT-77 is in Lisbon",),
    answer="Your parcel left Lisbon this morning and arrives tomorrow.",
    usage={"input_tokens": 380 + 21, "output_tokens": 54 + 13, "cache_read": 0, "reasoning": 0},
)
GOOGLE = Conversation(
    plain=(lambda: google_api.reply("gemini_tools"), google_api.reply),
    streamed=(lambda: google_api.stream("gemini_tools"), google_api.stream),
    calls=(("find_order", {"number": 4711}), ("weather", {"city": "Rotterdam"})),
    results=("order 4711", "rain in Rotterdam"),
    answer="Your parcel is in Rotterdam.",
    usage={"input_tokens": 90 + 12, "output_tokens": 31 + 7, "cache_read": 0, "reasoning": 0},
)
