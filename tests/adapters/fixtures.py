"""Fixtures of clients, for tests of what holds of every one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from adapters.adapter import Adapter
from fake_provider import FakeProvider


def clients_of(adapters: Sequence[type[Adapter]], **settings: Any) -> Any:
    """A fixture: a client of each of them, made after its library was patched."""

    @pytest.fixture(params=adapters, ids=lambda adapter: adapter.name)
    async def client(request: pytest.FixtureRequest, server: FakeProvider, patched: None) -> AsyncIterator[Adapter]:
        adapter: Adapter = request.param(server.url, **settings)
        yield adapter
        await adapter.aclose()

    return client
