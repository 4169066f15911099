"""What one handler records: a run of LangChain's begins and ends here, whatever kind it is of."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

from opentelemetry.context import Context

from sentrial import _ambient, _guard, _session, semconv
from sentrial._frameworks.langchain import kinds, others, spoken, untold
from sentrial._frameworks.langchain.counters import Counters
from sentrial._frameworks.langchain.runs import (
    MAX_OPEN,
    Run,
    Runs,
    Start,
    body_here,
    find_again,
    inside,
    inside_of_session,
    lose,
    recorded,
)
from sentrial._session import Session
from sentrial._spans import aside, failure, paused_requests, root
from sentrial._spans.root import Ending, Opening

_GRAPHS = (kinds.GRAPH, kinds.AGENT)


class Sessions(Protocol):
    """Where the runs of a handler belong."""

    def given(self) -> Session | None:
        """The session that the handler was made for."""

    def open(self, opening: Opening) -> Session | None:
        """Open one around a run that belongs to none; ``None`` where none is wanted."""


class Opened:
    """A session that began with a run, or with several that a model is asked at once.

    It ends as they did, when the last of them has, and what went on inside for longer: that has a share, too.
    """

    __slots__ = ("_endings", "_shares", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        # Taken and given back on any thread: what a list does is atomic, and to end a session twice does nothing.
        self._shares = [None]
        self._endings: list[Ending] = []

    def share(self) -> Opened:
        """For one more run, which has to :meth:`leave`, or for what has to :meth:`give_back` alone."""
        self._shares.append(None)
        return self

    def leave(self, run: Run, error: BaseException | None, given: object) -> None:
        """``run`` has given ``given`` or raised ``error``."""
        ending = _ending(run, error, given)
        if len(self._shares) > 1:
            ending = _to_keep(ending)
        self._endings.append(ending)
        self.give_back()

    def give_back(self) -> None:
        """Give back a share: with the last one the session ends."""
        self._shares.pop()
        if not self._shares:
            aside.settle(timeout=0)  # what is put aside belongs to the session
            root.end_session(self.session, _of_all(self._endings))


class Recorder:
    """Runs from their start to their end. What is special about a kind of run stands in the module of its name."""

    def __init__(self, sessions: Sessions, *, models: bool = True, for_nobody: bool = False) -> None:
        """``for_nobody``: it records what the program has given no handler to."""
        self.runs = Runs()
        self.counters = Counters(priced=not for_nobody)
        self.models = models
        self.silent = False
        self.for_nobody = for_nobody
        self._sessions = sessions

    def begin(self, kind: str, start: Start, given: object) -> Run | None:
        """The run that starts, where it belongs; a session begins with it, where there is none and one is wanted.

        ``None`` where it is not recorded.
        """
        parent = self.runs.find(start.parent_run_id)
        # A list of callbacks may hold one handler twice.
        if (parent is None and self.silent) or self.runs.find(start.run_id) is not None:
            return None
        parent = self._innermost(parent or recorded(start.parent_run_id))
        opened = None
        told = _teller(start, parent)
        if parent is not None:
            if kind not in (kinds.NODE, kinds.HIDDEN):
                parent.show()
            context = inside(parent)
        else:
            context, opened = self._outermost(start, given, told)
        run = Run(self, start, parent, context, kind)
        run.opened, run.told = opened, told
        aside.ensure_thread()
        self.runs.add(run)
        self._make_room()
        if parent is None and run.session is not None:
            _learn_conversation(run.session, kinds.conversation_of(start.metadata))
            paused_requests.go_on(run.session)
        return run

    def _innermost(self, named: Run | None) -> Run | None:
        """The run that one which begins here is a part of: ``named``, or what is inside of that, and here."""
        body = body_here()
        if body is not None and (named is None or body.is_below(named)):
            named = body
        return named if named is None or self._may_be_in(named) else None

    def _may_be_in(self, outer: Run) -> bool:
        """Whether ``outer`` is where this handler's runs belong: one of another handler's may be in another session."""
        if outer.recorder is self:
            return True
        session = self._sessions.given()
        return outer.session is not None and session in (None, outer.session.outermost)

    def _outermost(self, start: Start, given: object, told: str | None) -> tuple[Context, Opened | None]:
        session = self._sessions.given()
        if session is None and _session.current() is None:
            session = _ambient.session_for_event()
        if session is None and _session.current() is None and told is None:
            user_id = (start.metadata or {}).get("user_id")
            opening = Opening(
                agent_name=kinds.own_name(start.name) or "",
                user_id=user_id if _guard.is_a(user_id, str) else None,
                conversation_id=kinds.conversation_of(start.metadata),
                input=spoken.read_given(given),
            )
            opened = self._sessions.open(opening)
            if opened is not None:
                return inside_of_session(opened), Opened(opened)
        return (_session.live() if session is None else inside_of_session(session)), None

    @_guard.guarded("ending a run whose end nobody tells", _guard.nothing)
    def _make_room(self) -> None:
        forgotten = self.runs.one_too_many()
        if forgotten is not None:
            _guard.say_once(
                "too many runs of LangChain",
                "sentrial: more than %d runs of LangChain's are open in one handler; the oldest are ended as "
                "cancelled: of some that are, LangChain does not tell.",
                MAX_OPEN,
            )
            self.finish(forgotten.id, asyncio.CancelledError())

    def finish(self, run_id: UUID, error: BaseException | None = None, given: object = None) -> Run | None:
        """End the run of that id, which gave ``given`` or raised ``error``."""
        run = self.runs.take(run_id)
        if run is not None:
            self._end(run, error, given)
        return run

    def _end(self, run: Run, error: BaseException | None, given: object = None) -> None:
        run.show()
        if error is not None:
            for work in untold.all_work_elsewhere(run):
                _outlast(run, work)
        run.leave()
        if error is not None:
            # LangChain tells no end of a tool that is cancelled; what contains it ends with it.
            for child in list(run.children):
                # Else its own end is put aside, or comes from the thread that goes on with it.
                if child.over_at is None and untold.work_elsewhere(child) is None:
                    child.over_at = run.over_at
                    child.recorder.finish(child.id, error)
        _hand_on_pause(run, error)
        if run.parent is None and error is None:
            _keep_requests(run)
        with contextlib.ExitStack() as left:
            for opened in reversed(run.kept):
                left.callback(opened.give_back)
            if run.opened is not None:
                left.callback(run.opened.leave, run, error, given)
            if run.span is not None:
                run.span.end(error, run.over_at)


def _teller(start: Start, parent: Run | None) -> str | None:
    """Who makes the spans of a run that starts below ``parent``: ``None`` for the handler that is told of it."""
    if recorded(start.run_id) is not None:
        return others.OURS
    return others.active() if parent is None else parent.told


def _outlast(run: Run, work: Future[Any]) -> None:
    """Let what ``work`` goes on with be a part of ``run``, which is over, and of the sessions around."""
    kept = run.share_sessions()
    find_again(run)

    @_guard.guarded("ending what outlasted its run", _guard.nothing)
    def end(_: object) -> None:
        lose(run)
        for opened in kept:
            opened.give_back()

    work.add_done_callback(end)


def _hand_on_pause(run: Run, error: BaseException | None) -> None:
    """Mark what waits for a person when ``run`` ends.

    An interrupt leaves one run after the other, up to the graph that takes it in: that one waits, and with it the
    chains around it, until another graph in there comes to its end. A tool or a node may answer for its user.
    """
    outer = run.parent
    if error is not None:
        pauses = failure.outcome_of_control_flow(error) == semconv.OUTCOME_PAUSED
        if pauses and outer is not None and outer.kind in _GRAPHS:
            outer.paused = True
    elif run.kind in _GRAPHS:
        while outer is not None and outer.kind == kinds.CHAIN:
            outer.paused, outer = run.paused, outer.parent


def _keep_requests(run: Run) -> None:
    """Keep what the models of an outermost run asked for while it waits. A graph that has ended waits no more."""
    session = run.session
    if session is not None and run.paused:
        paused_requests.keep(session)
    elif session is not None and run.kind in _GRAPHS:
        paused_requests.forget(session)


def _ending(run: Run, error: BaseException | None, given: object) -> Ending:
    late = None if run.given_late is None else spoken.read_given(run.given_late)
    if error is None:
        outcome = semconv.OUTCOME_PAUSED if run.paused else semconv.OUTCOME_COMPLETED
        return Ending(outcome, input=late, output=spoken.read_gave(given), end_time=run.over_at)
    left = failure.outcome_of_control_flow(error)
    if left is not None:
        return Ending(left, input=late, end_time=run.over_at)
    return Ending(semconv.OUTCOME_FAILED, error=error, input=late, end_time=run.over_at)


def _to_keep(ending: Ending) -> Ending:
    """``ending`` as of now, in words alone: the exception holds what LangChain lets go of when all is told."""
    error, end_time = ending.error, ending.end_time or time.time_ns()
    if error is None:
        return replace(ending, end_time=end_time)
    reason, error_type = failure.describe(error), failure.type_name(error)
    return replace(ending, error=None, failure_reason=reason, error_type=error_type, end_time=end_time)


def _of_all(endings: Sequence[Ending]) -> Ending:
    """The first of ``endings`` that is a failure, or the last; at the latest of their times."""
    times = [ending.end_time for ending in endings if ending.end_time is not None]
    end_time = max(times) if len(times) == len(endings) else None
    ending = next((each for each in endings if each.outcome == semconv.OUTCOME_FAILED), endings[-1])
    return replace(ending, end_time=end_time)


def _learn_conversation(session: Session, conversation_id: str | None) -> None:
    if conversation_id is not None and session.conversation_id is None:
        session.learn_conversation(conversation_id)
