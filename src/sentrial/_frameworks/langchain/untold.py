"""Ends that LangChain does not tell: of what is cancelled, of a Ctrl-C, where a handler of the program's raises.

A run is over when LangChain has let go of it: nobody but LangChain holds the very object that is its run's id. An
asynchronous tool or model call is over when its task is, too; but a model call whose answer has begun to come may be
read in one task after the other.

Where a program keeps the exception, and with it all that it came through, LangChain lets go late. But what starts in
the very task that has awaited a tool is not inside of it; nor is what starts on a thread that has come back from where
LangChain told of a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import FrameType
from typing import Any, TypeVar
from uuid import UUID

from sentrial import _guard, _session
from sentrial._frameworks.langchain import collection, kinds
from sentrial._frameworks.langchain.runs import Run, marked_here

_Id = TypeVar("_Id", UUID, "UUID | None")
_MANAGER = "langchain_core.callbacks.manager"
_POOL = "concurrent.futures.thread"
_AROUND_BODY = ("_call_with_config", "_acall_with_config")
"""What LangChain calls a function of the program's in."""
_COMPREHENSION = "<listcomp>"
"""A frame of its own before Python 3.12, in which LangChain tells of several prompts."""
_HAS_OWN_TASK = sys.version_info >= (3, 11)
"""Whether LangChain runs the body of a tool that is awaited in a task of its own."""

_awaited: weakref.WeakKeyDictionary[asyncio.Task[Any], Run] = weakref.WeakKeyDictionary()
"""The tool that a task awaits, or has left."""


class _Held(weakref.ref):  # type: ignore[type-arg]  # generic in the stubs only, as a base class
    __slots__ = ("caller", "loop", "place", "run")

    run: Run
    caller: int | None
    place: tuple[int, int]
    loop: asyncio.AbstractEventLoop | None


def copy(run_id: _Id) -> _Id:
    """The id, in an object that LangChain does not know. A program may have given a text for it: that stays."""
    return UUID(int=run_id.int) if _guard.is_a(run_id, UUID) else run_id


def watch(run: Run, run_id: UUID, *, goes_on: Callable[[asyncio.Task[Any]], bool] = lambda done: False) -> None:
    """End ``run`` as cancelled when its time is over without a word.

    ``run_id``: LangChain's object. ``goes_on``: whether the run goes on where its first task is done, which it is told.
    """
    loop = asyncio._get_running_loop()
    task = None if loop is None else asyncio.current_task(loop)
    teller = _teller()
    awaited = _awaits(teller)
    held = None
    if _guard.is_a(run_id, UUID):  # of a text nobody can know that it is let go of
        held = _Held(run_id, _gone)
        held.run, held.loop = run, loop
        # While it is held, so is the frame: no other has its id.
        held.caller, held.place = None if awaited else id(_caller(teller)), _session.place()

    def end_with_task(done: asyncio.Task[Any]) -> None:
        if not goes_on(done):
            _end(run)

    if task is not None:
        task.add_done_callback(end_with_task)
        if _HAS_OWN_TASK and run.kind == kinds.TOOL and not run.only_counts and awaited:
            _awaited[task] = run

    def forget() -> None:
        run.watch = None
        if task is not None:
            if _awaited.get(task) is run:
                del _awaited[task]
            task.remove_done_callback(end_with_task)

    run.watch = (held, forget)


def is_awaited() -> bool:
    """Whether LangChain tells of the run from a coroutine of its own."""
    return _awaits(_teller())


def is_around_body() -> bool:
    """Whether what tells of the run calls its body, and tells its end: no stream, whose reader would be inside."""
    return _caller(_teller()).f_code.co_name in _AROUND_BODY


def _awaits(teller: FrameType) -> bool:
    return bool(teller.f_code.co_flags & inspect.CO_COROUTINE)


def _caller(teller: FrameType) -> FrameType:
    """The frame of LangChain's in which a run that ``teller`` tells of is about to go on."""
    frame = teller
    while frame.f_back is not None and (
        frame.f_globals.get("__name__") == _MANAGER or frame.f_code.co_name == _COMPREHENSION
    ):
        frame = frame.f_back
    return frame


def _teller() -> FrameType:
    """The innermost frame of LangChain's that tells of runs."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") != _MANAGER:
        frame = frame.f_back
    return frame


def leave(parent_run_id: UUID | None) -> None:
    """Make current no longer what this thread has come back from, and the tool that this very task has awaited.

    That is done before something starts here, unless it is a part of them by LangChain's own word: ``parent_run_id``.
    The tool need not be over: a handler of the program's for its error may start something, too.
    """
    while (here := marked_here()) is not None and here.id != parent_run_id and _is_behind(here):
        here.leave()
    loop = asyncio._get_running_loop() if _awaited else None
    task = None if loop is None else asyncio.current_task(loop)
    run = None if task is None else _awaited.get(task)
    if run is not None and run.id != parent_run_id:
        run.leave()


def _is_behind(run: Run) -> bool:
    """Whether this thread and task was where LangChain told of ``run``, and has come back from there."""
    held = run.watch[0] if run.watch is not None and run.activation is not None else None
    if not isinstance(held, _Held) or held.caller is None or held.place != _session.place():
        return False
    return _called_from(held.caller, sys._getframe(1)) is None


def work_elsewhere(run: Run) -> Future[Any] | None:
    """What another thread of a pool's is at, where it is inside of ``run``: whatever ends here, it goes on with that.

    LangChain tells the end of ``run`` there, when it comes.
    """
    held = run.watch[0] if run.watch is not None else None
    if not isinstance(held, _Held) or held.caller is None or held.place[0] == threading.get_ident():
        return None
    frame = _called_from(held.caller, sys._current_frames().get(held.place[0]))
    while frame is not None and frame.f_globals.get("__name__") != _POOL:
        frame = frame.f_back
    work = None if frame is None else getattr(frame.f_locals.get("self"), "future", None)
    return work if isinstance(work, Future) else None


def all_work_elsewhere(run: Run) -> Iterator[Future[Any]]:
    """That of all that is below ``run``."""
    for child in list(run.children):
        work = work_elsewhere(child)
        if work is None:
            yield from all_work_elsewhere(child)
        else:
            yield work


def _called_from(caller: int, frame: FrameType | None) -> FrameType | None:
    """The frame whose id is ``caller``, where it is ``frame`` or has led to it."""
    while frame is not None and id(frame) != caller:
        frame = frame.f_back
    return frame


def _gone(held: Any) -> None:
    # Perhaps inside a garbage collection, where nothing can be ended, and nothing made current.
    is_here = collection.is_here()
    if not is_here:
        held.run.leave()
    if held.loop is not None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: its tasks have ended before
            held.loop.call_soon_threadsafe(_end, held.run)
    elif is_here:
        collection.end_after(functools.partial(_end, held.run))
    else:
        _end(held.run)


@_guard.guarded("ending a cancelled run", _guard.nothing)
def _end(run: Run) -> None:
    if run.over_at is None:  # else LangChain has told its end after all, and that is put aside
        run.recorder.finish(run.id, asyncio.CancelledError())
