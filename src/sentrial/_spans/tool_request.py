"""What the models of a session asked for: the tools to run, so that each run links to the answer that asked for it.

By the model's name for the run where it is known: frameworks and runners pass it on. A loop written by hand passes a
tool nothing but its arguments; then the run is of the request, among those that have not been run, that has its tool
and its arguments. Two answers that ask for the very same leave it open, and so does this.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import pathlib
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
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


class Found(NamedTuple):
    """The model call that asked for a run, and its name for the run where that is certain."""

    context: SpanContext
    call_id: str | None


class _Request(NamedTuple):
    """One request. ``has_twin``: whether the same answer has another one, for the same tool with the same arguments."""

    name: str
    arguments: Any
    call_id: str | None
    has_twin: bool


class _Answer:
    """One model's answer, read when a tool is run whose request is not known: most never are."""

    __slots__ = ("_output", "_ran", "_waiting", "context")

    def __init__(self, context: SpanContext, output: Deferred[Sequence[Message]]) -> None:
        self.context = context
        self._output: Deferred[Sequence[Message]] | None = output
        self._waiting: list[_Request] = []
        self._ran: set[str] = set()

    def waiting(self) -> list[_Request]:
        """Its requests that have not been run."""
        output, self._output = self._output, None
        if output is not None:
            requests = list(_read_requests(output.read(snapshot(output.value, Tally()))))
            keys = [_key_of(request) for request in requests]
            self._waiting = [
                request._replace(has_twin=keys.count(key) > 1)
                for request, key in zip(requests, keys, strict=True)
                if request.call_id not in self._ran
            ]
        return self._waiting

    def ran(self, call_id: str) -> None:
        """The request of this name is run."""
        self._ran.add(call_id)
        self._waiting = [request for request in self._waiting if request.call_id != call_id]


class Requests:
    """Those of one session and its sub-agents."""

    def __init__(self) -> None:
        self._answers: dict[int, _Answer] = {}
        # Reentrant: a stream's span can end inside a garbage collection, and so while this thread holds the lock.
        self._lock = threading.RLock()

    def add(self, context: SpanContext, output: Deferred[Sequence[Message]]) -> None:
        """An answer that asks for tools."""
        with self._lock:
            if len(self._answers) >= MAX_ANSWERS:
                self._answers.pop(next(iter(self._answers)), None)
            self._answers[context.span_id] = _Answer(context, output)

    def ran(self, context: SpanContext, call_id: str) -> None:
        """What the model call of ``context`` named ``call_id`` is run."""
        with self._lock:
            answer = self._answers.get(context.span_id)
            if answer is not None:
                answer.ran(call_id)

    def take(self, name: str, arguments: Mapping[str, Any]) -> Found | None:
        """The request that a run of ``name`` with ``arguments`` is of; the next such run is of another one."""
        with self._lock:
            answers = list(self._answers.values())
            named = [(answer, each) for answer in answers for each in answer.waiting() if each.name == name]
            if not named:
                return None
            given = snapshot(arguments, Tally())
            fitting = [(answer, each) for answer, each in named if _fits(each.arguments, given)]
            # One that leaves an argument to its default fits where one that names it does: the latter says more.
            most = max((_weight(each) for _, each in fitting), default=0)
            fitting = [(answer, each) for answer, each in fitting if _weight(each) == most]
            if not fitting or fitting[0][0] is not fitting[-1][0]:
                return None
            answer, request = fitting[0]
            answer.waiting().remove(request)
            is_certain = len(fitting) == 1 and not request.has_twin
            return Found(answer.context, request.call_id if is_certain else None)


def remember(session: Session, response: LlmResponse, context: SpanContext) -> None:
    """Keep what ``response``, the answer to the model call of ``context``, asks for."""
    requested_by = session.requested_by
    for call_id in response.tool_call_ids:
        if len(requested_by) >= MAX_REQUESTED:
            requested_by.pop(next(iter(requested_by)), None)
        requested_by[call_id] = context
    if response.output is not None and (response.tool_call_ids or _TOOL_CALL in response.finish_reasons):
        outermost = session.outermost
        with outermost.lock:
            if outermost.requests is None:
                outermost.requests = Requests()
        outermost.requests.add(context, response.output)


def take_named(session: Session, call_id: str) -> Found | None:
    """The model call that asked for the run of this name."""
    context = session.requested_by.get(call_id)
    if context is None:
        return None
    requests = session.outermost.requests
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


def _read_requests(messages: Iterable[Message]) -> Iterable[_Request]:
    for message in messages:
        for part in message.parts:
            if part.type == _TOOL_CALL:
                fields = part.fields
                yield _Request(str(fields.get("name")), fields.get("arguments"), fields.get("id"), has_twin=False)


def _key_of(request: _Request) -> str:
    return json.dumps([request.name, request.arguments], sort_keys=True, default=repr)


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
