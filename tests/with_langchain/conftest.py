"""Fixtures of programs that run on LangChain: all that is patched is recorded, as in a program that only configures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import sentrial
from langchain_scenarios.fixtures import exported, models, no_langsmith, nobody_complains, recording, server
from receivers import OtlpHttpReceiver

__all__ = ["collector", "exported", "models", "no_langsmith", "nobody_complains", "recording", "server"]


@pytest.fixture
def collector() -> Iterator[OtlpHttpReceiver]:
    """Where sessions go."""
    with OtlpHttpReceiver() as collector:
        sentrial.configure(otlp_endpoint=collector.url)
        yield collector
        sentrial.shutdown(5)
