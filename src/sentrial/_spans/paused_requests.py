"""What the models of a session asked for that waits for a person: what was approved runs in another session.

Both are of one conversation, by which they are found, and of one account. Another process knows nothing of it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from opentelemetry.trace import SpanContext

from sentrial._session import Account, Session
from sentrial._spans.tool_request import Requests

MAX_PAUSED = 1_000
"""Conversations whose requests are kept: those that waited last."""


class _Kept(NamedTuple):
    requested_by: dict[str, SpanContext]
    requests: Requests | None


# Under no lock: each step is one of the dict's own.
_kept: OrderedDict[tuple[Account | None, str], _Kept] = OrderedDict()


def keep(session: Session) -> None:
    """The session waits: keep what its models asked for until the conversation goes on."""
    session = session.outermost
    if session.conversation_id is None or not session.requested_by:
        return
    with session.lock:
        asked = dict(session.requested_by)
    requests: Requests | None = session.requests
    forget(session)
    _kept[session.account, session.conversation_id] = _Kept(asked, requests.still_waiting(asked) if requests else None)
    if len(_kept) > MAX_PAUSED:
        _kept.popitem(last=False)


def go_on(session: Session) -> None:
    """The session may go on with a conversation that waits: what was asked for there can be run here."""
    session = session.outermost
    kept = _kept.get((session.account, session.conversation_id)) if session.conversation_id is not None else None
    if kept is None:
        return
    with session.lock:
        for call_id, context in kept.requested_by.items():
            session.requested_by.setdefault(call_id, context)
        if session.requests is None:
            session.requests = kept.requests


def forget(session: Session) -> None:
    """The conversation of the session waits no more."""
    session = session.outermost
    if session.conversation_id is not None:
        _kept.pop((session.account, session.conversation_id), None)
