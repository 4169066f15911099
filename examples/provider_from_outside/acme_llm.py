"""A client library that knows nothing of tracing. Its model lives in the same process: it says the question again."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any


class AcmeError(Exception):
    """The service refuses."""


class Connection:
    """What every call goes through, whichever method the program has called."""

    host, port = "llm.acme.example", 443

    def send(self, path: str, body: dict[str, Any]) -> Any:
        """The answer to ``body``; a stream of pieces of it, where the body asks for one."""
        self.prepare(path)
        answer = _answer_to(body)
        return _pieces_of(answer) if body.get("stream") else answer

    async def send_async(self, path: str, body: dict[str, Any]) -> Any:
        """The same, in an event loop."""
        self.prepare(path)
        answer = _answer_to(body)
        return _pieces_of_async(answer) if body.get("stream") else answer

    def prepare(self, path: str) -> str:
        """What is sent in one attempt."""
        return f"https://{self.host}{path} as {os.environ.get('ACME_USER', 'somebody')}"


class Acme:
    """The client."""

    def __init__(self) -> None:
        self.connection = Connection()

    def ask(self, question: str, *, model: str = "acme-1", **options: Any) -> Any:
        """The answer; with ``stream=True`` in pieces."""
        return self.connection.send("/v1/ask", _body(question, model, options))

    def forget(self) -> Any:
        """A call that no model answers."""
        return self.connection.send("/v1/forget", {})


class AsyncAcme(Acme):
    """The client, in an event loop."""

    async def ask(self, question: str, *, model: str = "acme-1", **options: Any) -> Any:
        """The answer; with ``stream=True`` in pieces."""
        return await self.connection.send_async("/v1/ask", _body(question, model, options))


def _body(question: str, model: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"model": model, "turns": [{"who": "user", "says": question}], **options}


def _answer_to(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("model") == "acme-0":
        raise AcmeError("acme-0 is retired")
    words = " ".join(turn["says"] for turn in body.get("turns", ())).upper()
    spent = {"read": len(words.split()), "written": len(words.split())}
    return {"id": "a-1", "model": f"{body.get('model')}-2026", "says": words, "why_it_stopped": "done", "spent": spent}


def _pieces_of(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for word in answer["says"].split():
        yield {"id": answer["id"], "model": answer["model"], "says": f"{word} "}
    yield {"why_it_stopped": "done", "spent": answer["spent"]}


async def _pieces_of_async(answer: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    for piece in _pieces_of(answer):
        yield piece
