"""The sessions that this process knows, by id: as long as they are open, and for a while after."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from itertools import islice

from opentelemetry.trace import NonRecordingSpan

from sentrial import _config, _setting_values
from sentrial._handle import Handle
from sentrial._session import Account, Session, parse_id, trace_id_apart

MAX_REMEMBERED = 1_000
"""How many ended sessions are remembered, for events that come late."""

MAX_OPEN = 10_000
"""How many sessions may be open: a program that forgets to end them must not grow without bound."""

_LOOKED_AT = 100
"""Among how many of the first begun the one is chosen that is given up for a new one."""

# Reentrant: a span can end inside a garbage collection, and so while this very thread holds the lock.
_lock = threading.RLock()
_open: OrderedDict[str, Session] = OrderedDict()
_sub_agents: OrderedDict[Session, None] = OrderedDict()
_ended: OrderedDict[str, Session] = OrderedDict()
_by_trace: dict[int, list[Session]] = {}
_in_use: weakref.WeakValueDictionary[str, Session] = weakref.WeakValueDictionary()


def register(session: Session) -> None:
    """Make ``session`` findable by its id; a sub-agent's id is that of its outermost session, and finds that."""
    with _lock:
        if session.parent is not None:
            _sub_agents[session] = None
            return
        _open[session.id] = session
        _by_trace.setdefault(session.context.trace_id, []).append(session)


def retire(session: Session) -> None:
    """Remember ``session`` as ended, for a while."""
    with _lock:
        if session.parent is not None:
            _sub_agents.pop(session, None)
        elif _open.pop(session.id, None) is not None:
            _remember(session)


def find(session_id: str) -> Session | None:
    """The session of that id, open or lately ended; ``None`` where this process does not know it."""
    return _open.get(session_id) or _ended.get(session_id) or _in_use.get(session_id)


def find_member(trace_id: int, span_id: int) -> Session | None:
    """The session that a span was started in, for a span that lost its stamp."""
    for session in tuple(_by_trace.get(trace_id, ())):
        if span_id in session.members:
            return session
    return None


def open_sessions() -> list[Session]:
    """What is open, in an order in which it can be ended: sub-agents first, the last begun in front."""
    with _lock:
        return [*reversed(_sub_agents), *_open.values()]


def one_too_many() -> Session | None:
    """An open session that has to go, for there are more than :data:`MAX_OPEN`: an old one, untouched for longest."""
    if len(_open) <= MAX_OPEN:
        return None
    with _lock:
        return min(islice(_open.values(), _LOOKED_AT), key=lambda session: session.touched, default=None)


def remember_foreign(handle: Handle, account: Account | None) -> Session | None:
    """A stand-in for a session of another process, for what is added to it here; ``None`` for a bad id."""
    context = parse_id(handle.session_id, sampled=handle.sampled)
    if context is None:
        return None
    session = Session(
        NonRecordingSpan(context),
        context,
        agent_name=handle.agent_name,
        user_id=handle.user_id,
        conversation_id=handle.conversation_id,
        account=account,
        foreign=True,
    )
    session.by_id = handle.apart is None
    inherits = _config.active.session_parent == _setting_values.PARENT_INHERIT
    if inherits if handle.apart is None else handle.apart:
        session.trace_id_for_sentrial = trace_id_apart(context)
    with _lock:
        _remember(session)
    return session


def after_fork() -> None:
    """In a forked child: what is open is the parent's to end and to send; events are still added to it here."""
    global _lock
    _lock = threading.RLock()
    # A thread of the parent may have held the lock of any of them, and does not exist here.
    for session in (*_open.values(), *_sub_agents, *_ended.values(), *_in_use.values()):
        session.lock = threading.RLock()
    for session in (*_open.values(), *_sub_agents):
        session.foreign = True
    for session in _open.values():
        session.inherited = frozenset(session.members)
        _remember(session)
    _open.clear()
    _sub_agents.clear()


def _remember(session: Session) -> None:
    _ended[session.id] = session
    # What the last spans of a request are booked on must be there, however many sessions came in since it began.
    _in_use[session.id] = session
    while len(_ended) > MAX_REMEMBERED:
        _, old = _ended.popitem(last=False)
        same_trace = _by_trace.get(old.context.trace_id, [])
        if old in same_trace:
            same_trace.remove(old)
        if not same_trace:
            _by_trace.pop(old.context.trace_id, None)
