"""Google's APIs, as far as they are spoken here: the Gemini API's paths and Vertex AI's.

An answer's ``body`` is one of the replies ``gemini_*`` and ``vertex_*``; its ``events`` are made of one by
:func:`events_of`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from fake_provider.answer import Answer, Request, Routes
from fake_provider.replies import read_reply

WORDS = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}


def reply(name: str = "gemini_text", **changes: Any) -> Answer:
    """A canned reply in one piece."""
    return Answer(body=read_reply(name), **changes)


def stream(name: str = "gemini_text", *, chunks: int = 4, **changes: Any) -> Answer:
    """A canned reply as a stream."""
    return Answer(events=events_of(read_reply(name), chunks=chunks), **changes)


def error(status: int, message: str = "no") -> Answer:
    """A refusal, as the API words it."""
    return Answer(status=status, body=error_body(status, message))


def broken_stream(name: str = "gemini_text", *, status: int = 503, message: str = "no") -> Answer:
    """A stream that says an error where its last chunk should be."""
    return Answer(events=[*events_of(read_reply(name))[:-1], _event(error_body(status, message))])


def error_body(status: int, message: str) -> dict[str, Any]:
    """What the API says of an error."""
    return {"error": {"code": status, "message": message, "status": WORDS[status]}}


def events_of(answer: dict[str, Any], *, chunks: int = 4) -> list[bytes]:
    """The server-sent events of ``answer``; ``chunks``: pieces of each text. The last one says how it ended."""
    head = {key: answer[key] for key in ("modelVersion", "responseId") if key in answer}
    usage = answer.get("usageMetadata", {})
    so_far = {key: usage[key] for key in ("promptTokenCount", "promptTokensDetails") if key in usage}
    pieces = [piece for candidate in answer.get("candidates", ()) for piece in _pieces_of(candidate, chunks)]
    if not pieces:
        return [_event(answer)]
    last = len(pieces) - 1
    return [
        _event({"candidates": [piece], **head, "usageMetadata": usage if number == last else so_far})
        for number, piece in enumerate(pieces)
    ]


def _pieces_of(candidate: dict[str, Any], chunks: int) -> Iterator[dict[str, Any]]:
    parts = [piece for part in candidate["content"]["parts"] for piece in _cut(part, chunks)]
    for number, part in enumerate(parts):
        end = {"finishReason": candidate["finishReason"]} if number == len(parts) - 1 else {}
        yield {"content": {"parts": [part], "role": "model"}, "index": candidate["index"], **end}


def _cut(part: dict[str, Any], chunks: int) -> Sequence[dict[str, Any]]:
    if "text" not in part:
        return [part]
    text = part["text"]
    step = max(1, -(-len(text) // chunks))
    return [{**part, "text": text[start : start + step]} for start in range(0, len(text), step)]


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n"


def _generate(request: Request) -> Answer:
    return reply()


def _stream(request: Request) -> Answer:
    return stream()


def _embed(request: Request) -> Answer:
    return reply("gemini_embeddings")


def _predict(request: Request) -> Answer:
    return reply("vertex_embeddings")


ROUTES: Routes = {
    ("POST", ".*:generateContent"): _generate,
    ("POST", ".*:streamGenerateContent"): _stream,
    ("POST", ".*:batchEmbedContents"): _embed,
    ("POST", ".*:embedContent"): _embed,
    ("POST", ".*:predict"): _predict,
}
