"""A session's handle: a string that takes a session to another process, with what its spans have to say there.

It is no secret, and opens nothing; it names the user and the conversation, so treat it as you treat these.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from sentrial import _guard
from sentrial._session import Session, parse_id

_PREFIX = "sentrial1."


@dataclass(frozen=True, slots=True)
class Handle:
    """What a handle says. ``sampled``: whether the session is sent at all. ``apart``: whether its trace is shared with
    other work, so that Sentrial knows it by a trace id of its own; ``None`` where it does not say."""

    session_id: str
    agent_name: str = ""
    user_id: str | None = None
    conversation_id: str | None = None
    sampled: bool = True
    apart: bool | None = False


def write_handle(session: Session, *, names: bool = True) -> str:
    """The handle of ``session``: characters that fit into URLs, headers and file names.

    ``names``: whether it says agent, user and conversation.
    """
    outermost = session.outermost
    fields = {
        "id": outermost.id,
        "agent": outermost.agent_name if names else None,
        "user": outermost.user_id if names else None,
        "conversation": outermost.conversation_id if names else None,
        "sampled": bool(outermost.context.trace_flags.sampled),
        "apart": outermost.trace_id_for_sentrial != outermost.context.trace_id,
    }
    text = json.dumps({key: value for key, value in fields.items() if value is not None}, separators=(",", ":"))
    return _PREFIX + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_handle(handle: object) -> Handle | None:
    """What ``handle`` says; a session id is one that says nothing else. ``None`` where it is neither."""
    if not _guard.is_a(handle, str):
        return None
    handle = str.__str__(handle)
    if not handle.startswith(_PREFIX):
        return Handle(handle, apart=None) if parse_id(handle) is not None else None
    try:
        text = handle[len(_PREFIX) :]
        fields = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        read = Handle(
            fields["id"],
            str(fields.get("agent", "")),
            _words(fields.get("user")),
            _words(fields.get("conversation")),
            fields.get("sampled") is not False,
            fields.get("apart") is True,
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return read if parse_id(read.session_id) is not None else None


def _words(value: object) -> str | None:
    return value if isinstance(value, str) else None
