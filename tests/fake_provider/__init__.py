"""A model provider on the loopback: a real HTTP server that speaks OpenAI's chat completions from canned replies."""

from __future__ import annotations

from fake_provider.chat_stream import events_of
from fake_provider.replies import read_reply
from fake_provider.server import Answer, FakeProvider, Request

__all__ = ["Answer", "FakeProvider", "Request", "events_of", "read_reply"]
