"""A chat model of the program's own, which needs no server: it asks for tools, and then answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

INPUT, OUTPUT = 7, 3
"""What each of its calls takes of tokens."""


class Asking(BaseChatModel):
    """Asks for ``calls`` in its first turn: names and arguments of tools. Streamed, it answers ``pieces``."""

    calls: Sequence[tuple[str, dict[str, Any]]] = ()
    pieces: Sequence[str] = ("It is ", "in ", "Lisbon.")

    @property
    def _llm_type(self) -> str:
        return "asking"

    def bind_tools(self, tools: Any, **_: Any) -> Asking:
        """It knows what it asks for."""
        return self

    def _generate(self, messages: Any, *_: Any, **__: Any) -> ChatResult:
        asks = self.calls and isinstance(messages[-1], HumanMessage)
        message = AIMessage(
            content="" if asks else "".join(self.pieces),
            tool_calls=[
                {"name": name, "args": arguments, "id": f"call_{number}"}
                for number, (name, arguments) in enumerate(self.calls if asks else ())
            ],
            usage_metadata={"input_tokens": INPUT, "output_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


class Streaming(Asking):
    """The same, piece by piece."""

    def _stream(self, messages: Any, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for piece in self.pieces:
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
