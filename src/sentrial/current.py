"""Which session work belongs to, here and now: in this task, or this thread."""

from __future__ import annotations

from sentrial import _guard, _session
from sentrial.client import SentrialClient
from sentrial.interaction import Interaction
from sentrial.process import default_client


@_guard.guarded("reading what is current", _guard.nothing)
def get_current_session_id() -> str | None:
    """The id of the session that is current here; ``None`` outside of sessions."""
    session = _session.current()
    return session.id if session is not None else None


@_guard.guarded("reading what is current", _guard.nothing)
def get_current_interaction() -> Interaction | None:
    """The session that is current here, as an object to finish it by; ``None`` outside of sessions."""
    session = _session.current()
    return Interaction.of(get_current_client(), session) if session is not None else None


@_guard.guarded("reading what is current", default_client)
def get_current_client() -> SentrialClient:
    """The client whose session is current here; outside of sessions, the one that ``configure()`` made."""
    session = _session.current()
    client: SentrialClient | None = session.client if session is not None else None
    return client if client is not None else default_client()


@_guard.guarded("making a session current", _guard.nothing)
def set_session_context(session_id: str, client: SentrialClient | None = None) -> None:
    """Make a session current here until :func:`clear_session_context`; :func:`sentrial.attach` does it for a block.

    Args:
        session_id: what ``create_session()`` gave, here or in another process.
        client: whose account it is, where this process did not open it; else the one that ``configure()`` made.
    """
    with _guard.raising(not default_client().fail_silently):
        if client is not None and not hasattr(type(client), "attach"):
            _guard.refuse(
                "client of a session",
                "sentrial: client=%s is not usable: it must be a SentrialClient. The one that configure() made counts.",
                _guard.shown(client),
            )
            client = None
        (default_client() if client is None else client).attach(session_id).__enter__()


@_guard.guarded("making nothing current", _guard.nothing)
def clear_session_context() -> None:
    """Make no session current here. What is open stays open."""
    _session.leave_all()


def get_session_context() -> str | None:
    """The same as :func:`get_current_session_id`."""
    return get_current_session_id()
