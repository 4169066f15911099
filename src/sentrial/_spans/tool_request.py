"""What the models of a session asked for: the tools to run, so that each run links to the answer that asked for it.

By the model's name for the run where it is known: frameworks and runners pass it on. A loop written by hand passes a
tool nothing but its arguments; then the run is of the request, among those that have not been run, that has its tool
and its arguments. Two answers that ask for the very same leave it open, and so does this.

A tool may start before the stream that asked for it has ended: what is coming is read as far as it has come.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import functools
import json
import os
import pathlib
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry.trace import SpanContext

from sentrial import _guard
from sentrial._session import Session
from sentrial._snapshot import Tally, snapshot
from sentrial.types import Deferred, LlmResponse, Message

MAX_REQUESTED = 10_000
"""Tool calls of one session whose requesting model call is remembered."""

MAX_ANSWERS = 64
"""Answers of one session whose requests can be found by tool and arguments: the newest."""

_TOOL_CALL = "tool_call"
_WRITTEN = (uuid.UUID, pathlib.PurePath, decimal.Decimal)

# One for the requests of all sessions: it is held for moments, and a forked child renews it, whoever has them.
# Reentrant: a stream's span can end inside a garbage collection, and so while this thread holds the lock.
_lock = threading.RLock()


class Found(NamedTuple):
    """The model call that asked for a run, and its name for the run where that is certain.

    ``put_back``: lets a request wait again that was found without a name.
    """

    context: SpanContext
    call_id: str | None
    put_back: Callable[[], None] | None = None


class _Request(NamedTuple):
    """One request. ``key``: its tool and arguments, as one text. ``has_twin``: whether the same answer has another one
    with the same key."""

    name: str
    arguments: Any
    call_id: str | None
    key: str
    has_twin: bool


class _Answer:
    """One model's answer, read when a tool is run whose request is not known: most never are.

    ``waiting``: its requests that have not been run, as far as they are known.
    """

    __slots__ = ("_output", "_ran", "_so_far", "context", "waiting")

    def __init__(self, context: SpanContext, so_far: Callable[[], LlmResponse | None] | None = None) -> None:
        self.context = context
        self.waiting: list[_Request] = []
        self._so_far = so_far
        self._output: Deferred[Sequence[Message]] | None = None
        self._ran: list[str] = []

    def give(self, output: Deferred[Sequence[Message]]) -> None:
        """The whole of it."""
        self._so_far = None
        self._output = output

    def asks_for(self, call_id: str) -> bool:
        """Whether what has come of it has a request of this name."""
        so_far = self._so_far
        response = so_far() if so_far is not None else None
        return response is not None and call_id in response.tool_call_ids

    def unread(self) -> Deferred[Sequence[Message]] | None:
        """What has come of it and was not read."""
        so_far = self._so_far
        if so_far is None:
            return self._output
        response = so_far()
        return response.output if response is not None else None

    def learn(self, output: Deferred[Sequence[Message]], requests: Iterable[_Request]) -> None:
        """``output``, which was unread, has these requests."""
        if self._output is output:
            self._output = None
        ran, self.waiting = list(self._ran), []
        for request in requests:
            name = request.call_id or request.key
            if name in ran:
                ran.remove(name)
            else:
                self.waiting.append(request)

    def run(self, request: _Request) -> bool:
        """``request`` is run; ``False`` where it does not wait any more."""
        waiting = [each for each in self.waiting if each is not request]
        if len(waiting) == len(self.waiting):
            return False
        self.waiting = waiting
        self._ran.append(request.call_id or request.key)
        return True

    def put_back(self, request: _Request) -> None:
        """The run of ``request`` was left, and may be made again."""
        self._ran.remove(request.call_id or request.key)
        self.waiting.append(request)

    def has_run(self, call_id: str) -> bool:
        """Whether the request of this name is run."""
        return call_id in self._ran

    def ran(self, call_id: str) -> None:
        """The request of this name is run."""
        self._ran.append(call_id)
        self.waiting = [request for request in self.waiting if request.call_id != call_id]


class Requests:
    """Those of one session and its sub-agents.

    What was given and answered is looked at under no lock: objects of the program's may wait for locks of their own.
    """

    def __init__(self) -> None:
        self._answers: dict[int, _Answer] = {}
        self._coming: dict[int, _Answer] = {}

    def follow(self, context: SpanContext, so_far: Callable[[], LlmResponse | None]) -> None:
        """An answer that comes piece by piece."""
        with _lock:
            self._coming[context.span_id] = _Answer(context, so_far)

    def end(self, context: SpanContext, output: Deferred[Sequence[Message]] | None, theirs: Sequence[str] = ()) -> None:
        """An answer has come, or broken off; ``output`` where it asks for tools, ``theirs`` what others asked for."""
        with _lock:
            answer = self._coming.pop(context.span_id, None) or _Answer(context)
            if output is None:
                return
            answer.give(output)
            for call_id in theirs:
                answer.ran(call_id)
            if len(self._answers) >= MAX_ANSWERS:
                self._answers.pop(next(iter(self._answers)), None)
            self._answers[context.span_id] = answer

    def find(self, call_id: str) -> SpanContext | None:
        """The model call whose answer is coming and has a request of this name."""
        with _lock:
            coming = list(self._coming.values())
        return next((each.context for each in coming if each.asks_for(call_id)), None)

    def ran(self, context: SpanContext, call_id: str) -> None:
        """What the model call of ``context`` named ``call_id`` is run."""
        with _lock:
            answer = self._answers.get(context.span_id) or self._coming.get(context.span_id)
            if answer is not None:
                answer.ran(call_id)

    def waiting(self, name: str) -> list[tuple[_Answer, _Request]]:
        """Those for the tool ``name`` that have not been run."""
        with _lock:
            answers = [*self._answers.values(), *self._coming.values()]
        for answer in answers:
            output = answer.unread()
            if output is not None:
                requests = _read_requests(output.read(snapshot(output.value, Tally())))
                with _lock:
                    answer.learn(output, requests)
        return [(answer, request) for answer in answers for request in answer.waiting if request.name == name]

    def take(self, name: str, arguments: Mapping[str, Any]) -> Found | None:
        """The request that a run of ``name`` with ``arguments`` is of; the next such run is of another one."""
        while named := self.waiting(name):
            given = snapshot(arguments, Tally())
            fitting = [(answer, each) for answer, each in named if _fits(each.arguments, given)]
            # One that leaves an argument to its default fits where one that names it does: the latter says more.
            most = max((_weight(each) for _, each in fitting), default=0)
            fitting = [(answer, each) for answer, each in fitting if _weight(each) == most]
            if not fitting or fitting[0][0] is not fitting[-1][0]:
                return None
            answer, request = fitting[0]
            with _lock:
                is_ours = answer.run(request)
            if is_ours:  # else another run of the same came first
                is_certain = len(fitting) == 1 and not request.has_twin
                put_back = functools.partial(self._put_back, answer, request)
                return Found(answer.context, request.call_id if is_certain else None, put_back)
        return None

    def _put_back(self, answer: _Answer, request: _Request) -> None:
        with _lock:
            answer.put_back(request)

    def still_waiting(self, asked: Mapping[str, SpanContext]) -> Requests:
        """The answers of which a request named in ``asked`` has not been run."""
        rest = Requests()
        with _lock:
            for call_id, context in asked.items():
                answer = self._answers.get(context.span_id)
                if answer is not None and not answer.has_run(call_id):
                    rest._answers[context.span_id] = answer
        return rest


def follow(session: Session, context: SpanContext, so_far: Callable[[], LlmResponse | None]) -> None:
    """The answer to the model call of ``context`` comes piece by piece; ``so_far`` reads what has come."""
    _requests_of(session).follow(context, so_far)


def remember(session: Session, response: LlmResponse | None, context: SpanContext, *, fetched: bool = False) -> None:
    """Keep what ``response``, all that came of the answer to the model call of ``context``, asks for.

    ``fetched``: it was stored, and what another call has asked for already stays that one's.
    """
    call_ids = response.tool_call_ids if response is not None else ()
    requested_by = session.requested_by
    theirs = [call_id for call_id in call_ids if call_id in requested_by] if fetched else []
    ours = [call_id for call_id in call_ids if call_id not in theirs]
    if ours:
        with session.outermost.lock:
            for call_id in ours:
                if len(requested_by) >= MAX_REQUESTED:
                    requested_by.pop(next(iter(requested_by)), None)
                requested_by[call_id] = context
    asks = response is not None and (ours or (not theirs and _TOOL_CALL in response.finish_reasons))
    output = response.output if response is not None and asks else None
    if output is not None or session.outermost.requests is not None:
        _requests_of(session).end(context, output, theirs)


def _requests_of(session: Session) -> Requests:
    outermost = session.outermost
    with outermost.lock:
        # Looked at once: the session may end meanwhile, and let go of it.
        requests: Requests | None = outermost.requests
        if requests is None:
            requests = outermost.requests = Requests()
    return requests


def is_asked_for(session: Session, name: str) -> bool:
    """Whether a model call of the session has asked for a run of the tool ``name`` that has not been made."""
    requests: Requests | None = session.outermost.requests
    return requests is not None and bool(requests.waiting(name))


def take_named(session: Session, call_id: str) -> Found | None:
    """The model call that asked for the run of this name."""
    requests: Requests | None = session.outermost.requests
    # Of two answers with the same name in them, the one that is coming is the newer.
    context = (requests.find(call_id) if requests is not None else None) or session.requested_by.get(call_id)
    if context is None:
        return None
    if requests is not None:
        requests.ran(context, call_id)
    return Found(context, call_id)


def take(session: Session, name: str, arguments: object) -> Found | None:
    """The model call that asked for a run of the tool ``name`` with ``arguments``; ``None`` where it is not certain."""
    requests = session.outermost.requests
    if requests is None or not isinstance(arguments, Mapping):
        return None
    try:
        found: Found | None = requests.take(name, arguments)
    except Exception as error:  # noqa: BLE001 - the run is recorded, linked or not
        _guard.failed("finding what asked for a tool", error)
        return None
    return found


def _read_requests(messages: Iterable[Message]) -> list[_Request]:
    requests = []
    for message in messages:
        for part in message.parts:
            if part.type == _TOOL_CALL:
                name, arguments = str(part.fields.get("name")), part.fields.get("arguments")
                key = json.dumps([name, arguments], sort_keys=True, default=repr)
                requests.append(_Request(name, arguments, part.fields.get("id"), key, has_twin=False))
    keys = [request.key for request in requests]
    return [request._replace(has_twin=keys.count(request.key) > 1) for request in requests]


def _weight(request: _Request) -> int:
    return len(request.arguments) if isinstance(request.arguments, dict) else 0


def _fits(asked: Any, given: Any) -> bool:
    """Whether all that was asked is given, by name or in the only argument; there may be more: a default, say."""
    if type(given) is not dict:
        return False
    if isinstance(asked, dict) and _holds(given, asked):
        return True
    whole = next(iter(given.values())) if len(given) == 1 else None
    return _holds(whole, asked) if isinstance(asked, dict) and type(whole) is dict else _is_same(asked, whole)


def _holds(given: dict[Any, Any], asked: dict[Any, Any]) -> bool:
    return all(_is_same(value, given.get(name)) for name, value in asked.items())


def _is_same(asked: Any, given: Any) -> bool:
    if isinstance(given, enum.Enum):
        given = given.value
    elif isinstance(given, datetime.date):
        given = given.isoformat()
    elif isinstance(given, _WRITTEN):
        given = str(given)
    if type(asked) is dict and type(given) is dict:
        return _holds(given, asked)
    if type(asked) is list and type(given) is list:
        return len(asked) == len(given) and all(map(_is_same, asked, given))
    return bool(asked == given)


def _after_fork() -> None:
    # A thread of the parent may have held it, and does not exist in the child.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
