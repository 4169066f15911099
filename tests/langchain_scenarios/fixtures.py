"""Fixtures of tests that run LangChain. A ``conftest.py`` imports them by name."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import sentrial
from fake_provider import FakeProvider
from langchain_scenarios.exported import Exported
from langchain_scenarios.models import Models
from receivers import OtlpHttpReceiver
from scenario import Recording

COMPLAINTS = ("opentelemetry.context", "langchain_core.callbacks")


@pytest.fixture(autouse=True)
def no_langsmith(monkeypatch: pytest.MonkeyPatch) -> None:
    """LangChain sends nothing to its maker's service."""
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.setenv(name, "false")


@pytest.fixture(autouse=True)
def nobody_complains(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Neither OpenTelemetry of a context, nor LangChain of a handler: nothing at WARNING or above, in any test."""
    yield
    said = [record for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in said if record.name.startswith(COMPLAINTS)] == []


@pytest.fixture
def server() -> Iterator[FakeProvider]:
    """The provider that the models ask."""
    with FakeProvider() as server:
        yield server


@pytest.fixture
async def models(server: FakeProvider) -> AsyncIterator[Models]:
    """Chat models that ask ``server``, for tests of either kind."""
    models = Models(server)
    yield models
    await models.close()


@pytest.fixture
def collector() -> Iterator[OtlpHttpReceiver]:
    """Where sessions go; nothing but LangChain is recorded until a test says so."""
    with OtlpHttpReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url, instrument=[])
        yield collector
        sentrial.shutdown(5)


@pytest.fixture
def exported(collector: OtlpHttpReceiver, shared: Path, tmp_path: Path) -> Exported:
    """What has come to ``collector``."""
    return Exported(collector, shared / "semconv" / "check_otlp.py", tmp_path)


@pytest.fixture
def recording(collector: OtlpHttpReceiver, server: FakeProvider, shared: Path, tmp_path: Path) -> Recording:
    """A scenario, held against its checked-in list: see ``scenario``."""
    recording = Recording(collector, shared / "semconv" / "check_otlp.py", tmp_path)
    recording.ports[server.port] = "the server's"
    return recording
