"""A session's identity in OpenTelemetry's baggage: how it gets in, and what of it is believed where it arrives.

It is one entry, the session's handle, and stands there only while a context is written into a carrier or read from one:
so an application's own baggage never holds it, and nobody's propagator takes it further by chance. Where a session's
work lies in another trace than its root, that trace is named too: an entry counts only beside the trace it left with,
so that who cannot choose the trace of a request (an edge that begins its own) cannot choose its session either.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.trace import get_current_span, set_span_in_context

from sentrial import _config, _guard, _registry, _session, semconv
from sentrial._handle import read_handle, write_handle
from sentrial._session import Account, Session

LONGEST = 4_000
"""Characters of an entry: propagators drop those that are longer than 4,096 with their name."""

LONGEST_NAME = 1_000
"""Characters of a name in it: sessions of ours have none that are longer."""

_TRACE = re.compile(r"\.[0-9a-f]{32}")

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def session_in(context: Context) -> Session | None:
    """The session that what leaves from ``context`` belongs to: the current one, or that of its span's stamp.

    No context serves a session that began by itself, and one that is not begun yet does not begin for this.
    """
    session = _session.current(context)
    if session is not None:
        return session
    stamps = getattr(get_current_span(context), "attributes", None)
    session_id = stamps.get(semconv.SENTRIAL_SESSION_ID) if isinstance(stamps, Mapping) else None
    session = _registry.find(session_id) if isinstance(session_id, str) else None
    return None if session is None or session.ended else session


def with_session(session: Session, context: Context) -> Context:
    """``context`` with the identity of ``session`` in its baggage, to be written into a carrier and not to be kept."""
    handle = write_handle(session)
    if len(handle) > LONGEST:
        _guard.say_once(
            "long identity",
            "sentrial: user, conversation and agent of a session are too long to travel in baggage (%d characters): "
            "its id travels alone, and what happens at the other end names none of them.",
            len(handle),
        )
        handle = write_handle(session, names=False)
    here = get_current_span(context).get_span_context()
    if here.is_valid and here.trace_id != session.outermost.context.trace_id:
        handle = f"{handle}.{here.trace_id:032x}"
    return baggage.set_baggage(semconv.BAGGAGE_SESSION, handle, context)


def without_session(context: Context) -> Context:
    """``context`` itself, or one without the identity that came in by its baggage."""
    if baggage.get_baggage(semconv.BAGGAGE_SESSION, context) is None:
        return context
    return baggage.remove_baggage(semconv.BAGGAGE_SESSION, context)


def take_session(context: Context, *, trusted: bool) -> tuple[Context, Session | None]:
    """``context``, as a propagator has read it, with the session current that its baggage names; and that session.

    Where there is none to believe, the trace that came along stays, and the entry goes. What is current in the result
    is the remote span; the session's root, where no trace came along.
    """
    entry = baggage.get_baggage(semconv.BAGGAGE_SESSION, context)
    if entry is None:
        return context, None
    context = without_session(context)
    if not trusted:
        _guard.say_once(
            "incoming session",
            "sentrial: a session came in by baggage and is not believed. Where only programs of your own can call this "
            "one, set SENTRIAL_TRUST_INCOMING=true, or use extract(..., trust=True).",
            level=logging.INFO,
        )
        return context, None
    session = _read(entry, context)
    if isinstance(session, str):
        _guard.say_once(
            f"incoming session: {session}",
            "sentrial: a session that came in by baggage is refused: %s (%s). What came with it is served outside of "
            "it. More of this kind is not logged.",
            session,
            _guard.shown(entry),
        )
        return context, None
    if not get_current_span(context).get_span_context().is_valid:
        context = set_span_in_context(session.span, context)
    return _session.within(session, context), session


def default_account() -> Account | None:
    """Whose sessions they are that arrive: those of the key that the process is configured with."""
    config = _config.active
    return Account(config.api_url, config.api_key) if config.enabled and config.api_key else None


def _read(entry: object, context: Context) -> Session | str:
    """The session that ``entry`` names; or why it is refused."""
    text = entry if _guard.is_a(entry, str) and len(entry) <= LONGEST + 40 else ""
    handle, came_with = read_handle(text), ""
    if handle is None and _TRACE.fullmatch(text[-33:]):
        handle, came_with = read_handle(text[:-33]), text[-32:]
    if handle is None:
        return "it is no handle of a session"
    names = [name for name in (handle.agent_name, handle.user_id, handle.conversation_id) if name is not None]
    if any(len(name) > LONGEST_NAME or _CONTROLS.search(name) for name in names):
        return "its names are too long, or hold control characters"
    here = get_current_span(context).get_span_context()
    if here.is_valid and f"{here.trace_id:032x}" != (came_with or handle.session_id[:32]):
        return "it came with another trace than it left with"
    account, known = default_account(), _registry.find(handle.session_id)
    if known is not None:
        # A key may have been configured since.
        if known.account != account and not (known.foreign and known.account is None):
            return "this process knows it as one of another account"
        if handle.user_id not in (None, known.user_id) and not (known.foreign and known.user_id is None):
            return "this process knows it as one of another user"
        says_more = known.foreign and bool(handle.agent_name) and not known.agent_name
        if known.account == account and not known.ended and not says_more:
            return known
    session = _registry.remember_foreign(handle, account)
    if session is None:
        return "its id is none"
    # A request is a block: what begins in it is a sub-agent, as in the block that made the request.
    session.lexical = True
    return session
