"""A recorder of what the writers write, and a session to write into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sentrial import _payload
from sentrial._export.redact import SecretMasker
from sentrial._payload import Policy
from sentrial._session import Session
from sentrial._spans import root, source
from sentrial._spans.root import Opening
from written import Writing


@pytest.fixture
def recorder(loud_guard: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writing]:
    """What is written, on a provider of its own, with secrets masked as in production."""
    kept = Writing()
    before = source._resolve
    monkeypatch.setattr(_payload, "policy", Policy(masker=SecretMasker()))
    source.resolve_with(lambda: kept.provider)
    yield kept
    source.resolve_with(before)


@pytest.fixture
def session(recorder: Writing) -> Session:
    """An open session of agent ``support`` and user ``u1``, not current."""
    return root.open_session(Opening("support", "u1", conversation_id="c1"), nested=False)
