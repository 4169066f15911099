"""Fixtures of tests that look at what our patches record. A ``conftest.py`` imports them by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fake_provider import FakeProvider
from recorder import Recorder
from sentrial import _config, _payload
from sentrial._config import Config
from sentrial._patch import install
from sentrial._payload import Policy
from sentrial._providers import PROVIDERS
from sentrial._spans import source


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """The recorder of all spans of ours; nothing is set or patched yet, and content is captured."""
    monkeypatch.setattr(_config, "active", Config())
    monkeypatch.setattr(_payload, "policy", Policy())
    recorder = Recorder()
    record_with(recorder, monkeypatch)
    yield recorder
    recorder.provider.shutdown()


@pytest.fixture
def patched() -> Iterator[None]:
    """Every client that is known is patched, and is as it was afterwards."""
    install.install(None, PROVIDERS)
    yield
    install.uninstall()


@pytest.fixture
def server() -> Iterator[FakeProvider]:
    """The provider that the clients talk to."""
    with FakeProvider() as server:
        yield server


def record_with(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send our spans to ``recorder`` until the test ends."""
    monkeypatch.setattr(source, "_resolve", lambda: recorder.provider)
    monkeypatch.setattr(source, "_found", source._Found())
