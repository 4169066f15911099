"""Fixtures of scenarios: the real clients as a program uses them, and all of what is exported of it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import sentrial
from fake_provider import FakeProvider
from receivers import OtlpHttpReceiver
from scenario import Recording

# What the oldest clients cannot ask for: nobody can ask it of them.
_NEEDS_2 = {
    "openai": ["test_openai_background.py", "test_openai_responses_spans.py"],
    "google-genai": ["test_google_newer_calls.py"],
}
collect_ignore = [
    name for library, names in _NEEDS_2.items() if int(metadata.version(library).split(".")[0]) < 2 for name in names
]


@pytest.fixture
def server() -> Iterator[FakeProvider]:
    """The provider that the clients talk to."""
    with FakeProvider() as server:
        yield server


@pytest.fixture
def recording(server: FakeProvider, shared: Path, tmp_path: Path) -> Iterator[Recording]:
    """Everything is patched, and sessions go to a collector."""
    with OtlpHttpReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url)
        recording = Recording(collector, shared / "semconv" / "check_otlp.py", tmp_path)
        recording.ports[server.port] = "the server's"
        yield recording
        sentrial.shutdown(5)
