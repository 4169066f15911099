"""Fixtures of the contract: one client of each adapter, patched, and what it records."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from adapters import ADAPTERS, GENERATING_ADAPTERS, RESPONSE_ADAPTERS, TELLING_ADAPTERS
from adapters.fixtures import clients_of
from recorder.fixtures import patched, recorder, server

__all__ = ["patched", "recorder", "server"]


client = clients_of(ADAPTERS)
"""A client of each adapter."""

http_client = clients_of(RESPONSE_ADAPTERS)
"""The same of those whose streams and raw answers are objects around an HTTP response."""

generating_client = clients_of(GENERATING_ADAPTERS)
"""The same of those whose streams are generators."""

telling_client = clients_of(TELLING_ADAPTERS)
"""The same of those that raise what goes wrong in a stream."""


@pytest.fixture(autouse=True)
def no_word_from_the_context(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """OpenTelemetry has no reason to complain of contexts that were left in the wrong place, in no test."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record for record in caplog.records if record.name.startswith("opentelemetry")] == []
