"""What comes in at the server and what goes out of it, whichever API it speaks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fake_provider.chat_stream import events_of
from fake_provider.replies import read_reply


@dataclass(frozen=True)
class Request:
    """What came in. Header names are in lower case. ``path``: with the query, as it was sent."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    method: str = "POST"


@dataclass
class Answer:
    """What goes out.

    Attributes:
        status: the HTTP status.
        body: JSON, for an answer in one piece.
        events: server-sent events, for a stream.
        headers: more headers.
        kind: the content type, where it is neither JSON nor server-sent events.
        coding: ``gzip``, or nothing.
        hold_after: with ``gate``: how many events go out before the server waits for it.
        gate: what a held stream waits for.
        cut_after: how many events go out before the connection ends.
    """

    status: int = 200
    body: dict[str, Any] | None = None
    events: Sequence[bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: str | None = None
    coding: str | None = None
    hold_after: int = 0
    gate: threading.Event | None = None
    cut_after: int | None = None

    @classmethod
    def reply(cls, name: str = "chat_text", **changes: Any) -> Answer:
        """A canned reply in one piece."""
        return cls(body=read_reply(name), **changes)

    @classmethod
    def stream(cls, name: str = "chat_text", *, chunks: int = 4, usage: bool = True, **changes: Any) -> Answer:
        """A canned reply as a stream."""
        return cls(events=events_of(read_reply(name), chunks=chunks, usage=usage), **changes)

    @classmethod
    def error(cls, status: int, message: str = "no", *, code: str | None = None, **headers: str) -> Answer:
        """A refusal, as the API words it."""
        body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status=status, body=body, headers=named)


Routes = Mapping[tuple[str, str], Callable[[Request], Answer]]
"""What an API answers when no test has said otherwise: by method, and by a pattern that the whole path matches."""
