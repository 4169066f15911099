"""Fixtures of the contract: one client of each adapter, patched, and what it records."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from adapters import ADAPTERS, GENERATING_ADAPTERS, RESPONSE_ADAPTERS, TELLING_ADAPTERS, Adapter
from fake_provider import FakeProvider
from recorder.fixtures import patched, recorder, server

__all__ = ["patched", "recorder", "server"]


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
async def client(request: pytest.FixtureRequest, server: FakeProvider, patched: None) -> AsyncIterator[Adapter]:
    """A client of each adapter, made after its library was patched."""
    adapter: Adapter = request.param(server.url)
    yield adapter
    await adapter.aclose()


@pytest.fixture(params=RESPONSE_ADAPTERS, ids=lambda adapter: adapter.name)
async def http_client(request: pytest.FixtureRequest, server: FakeProvider, patched: None) -> AsyncIterator[Adapter]:
    """The same of those whose streams and raw answers are objects around an HTTP response."""
    adapter: Adapter = request.param(server.url)
    yield adapter
    await adapter.aclose()


@pytest.fixture(params=GENERATING_ADAPTERS, ids=lambda adapter: adapter.name)
async def generating_client(
    request: pytest.FixtureRequest, server: FakeProvider, patched: None
) -> AsyncIterator[Adapter]:
    """The same of those whose streams are generators."""
    adapter: Adapter = request.param(server.url)
    yield adapter
    await adapter.aclose()


@pytest.fixture(params=TELLING_ADAPTERS, ids=lambda adapter: adapter.name)
async def telling_client(request: pytest.FixtureRequest, server: FakeProvider, patched: None) -> AsyncIterator[Adapter]:
    """The same of those that raise what goes wrong in a stream."""
    adapter: Adapter = request.param(server.url)
    yield adapter
    await adapter.aclose()


@pytest.fixture(autouse=True)
def no_word_from_the_context(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """OpenTelemetry has no reason to complain of contexts that were left in the wrong place, in no test."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record for record in caplog.records if record.name.startswith("opentelemetry")] == []
