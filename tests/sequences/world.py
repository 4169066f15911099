"""What the actors share, and what is known of it besides what we say ourselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

import sentrial
from sentrial import Interaction, SentrialClient

USERS = ("ann", "bob", None)


class Seen(SpanProcessor):
    """An exporter of the application's own: every span that starts, and every span that ends."""

    def __init__(self) -> None:
        self.started: list[tuple[int, int]] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        context = span.get_span_context()
        self.started.append((context.trace_id, context.span_id))

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


class World:
    """The pools that steps draw from. Any actor may use what any other has made.

    ``owners``: by the id of a span, the session that it was made for, as the program knows it (``None``: no session).
    ``users``: by the id of a session, whose it is.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self.tracer = provider.get_tracer("somebody.else")
        self.client = SentrialClient()
        self.sessions: list[Interaction] = []
        self.ids: list[str] = []
        self.handles: list[str] = []
        self.events: list[Any] = []
        self.attachments: list[Any] = []
        self.open_spans: list[trace.Span] = []
        self.owners: dict[int, str | None] = {}
        self.users: dict[str, str | None] = {}

    def opened(self, session_id: str, user: str | None) -> None:
        """A session was opened."""
        self.ids.append(session_id)
        self.users.setdefault(session_id, user)

    def told(self, answer: dict[str, Any], session_id: str) -> None:
        """An event was told for a session."""
        assert answer["sessionId"] == session_id
        self.owners[int(answer["id"], 16)] = session_id

    @contextmanager
    def plain_span(self, name: str = "plain") -> Iterator[trace.Span]:
        """A span of somebody else's, current in the block."""
        here = sentrial.get_current_session_id()
        with self.tracer.start_as_current_span(name) as span:
            self.owners[span.get_span_context().span_id] = here
            yield span
