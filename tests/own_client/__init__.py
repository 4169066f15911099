"""A client library of a test's own, described to the machinery: its methods take a question and give a text."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from sentrial._patch.spec import Operation, Outgoing, Provider, Target
from sentrial.types import Deferred, LlmRequest, LlmResponse, Message, Part

__all__ = ["OPERATION", "Pieces", "describe"]


def _read_request(outgoing: Outgoing) -> LlmRequest:
    return LlmRequest("chat", "own", outgoing.body["model"], stream=outgoing.stream)


def _read_messages(texts: Any) -> list[Message]:
    return [Message("assistant", [Part.text("".join(texts))])]


def _read_response(answer: Any) -> LlmResponse:
    texts = answer if isinstance(answer, list) else [answer]
    return LlmResponse(model=texts[0], output=Deferred(texts, _read_messages)) if texts else LlmResponse()


class Pieces:
    """Gathers texts."""

    def __init__(self) -> None:
        self.complete = False
        self._texts: list[str] = []

    def add(self, chunk: str) -> None:
        """Keep it. The text "end" says that it is the last one."""
        self._texts.append(chunk)
        self.complete = chunk == "end"

    def result(self) -> list[str]:
        """All texts."""
        return self._texts


OPERATION = Operation("chat", _read_request, _read_response, Pieces)


def _recognise(client: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Outgoing:
    model = args[0] if args else kwargs.get("model")
    return Outgoing(OPERATION, client, {"model": model}, stream=bool(kwargs.get("stream")))


def describe(name: str = "own", *targets: Target, **changes: Any) -> Provider:
    """The description of a client with ``targets``; a call's model is its first argument."""
    return dataclasses.replace(Provider(name, targets, _recognise), **changes)
