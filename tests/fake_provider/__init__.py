"""Model providers on the loopback: a real HTTP server that speaks their APIs from canned replies."""

from __future__ import annotations

from fake_provider.answer import Answer, Request
from fake_provider.chat_stream import events_of
from fake_provider.replies import read_reply
from fake_provider.server import FakeProvider

__all__ = ["Answer", "FakeProvider", "Request", "events_of", "read_reply"]
