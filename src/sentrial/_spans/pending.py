"""Answers that are made in the background: fetching them says their tokens, which are of who had them made."""

from __future__ import annotations

from sentrial._session import Session
from sentrial.types import LlmResponse

MAX_PENDING = 1_000
"""Answers of one session whose tokens are waited for: the newest."""


def remember(session: Session, response: LlmResponse | None) -> None:
    """Wait for the tokens of ``response``, which ``session`` has had made, if they are yet to come."""
    if response is None or not response.pending or response.id is None:
        return
    outermost = session.outermost
    with outermost.lock:
        if len(outermost.pending) >= MAX_PENDING:
            outermost.pending.pop(next(iter(outermost.pending)))
        outermost.pending[response.id] = session


def take(session: Session | None, response: LlmResponse | None) -> Session | None:
    """The session that had ``response`` made, which ``session`` has fetched; ``None`` where its tokens are not said yet
    or have been counted, and where it was made elsewhere: who had it made counts them."""
    if session is None or response is None or response.made_usage is None or response.id is None:
        return None
    outermost = session.outermost
    with outermost.lock:
        return outermost.pending.pop(response.id, None)
