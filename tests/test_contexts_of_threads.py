"""A thread runs in the session that starts it, whatever kind of thread it is, and is otherwise as ever."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace

import sentrial
from running import run_program
from sentrial import _session
from sentrial._patch import carry


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    """Set up, with all that belongs to it: the sessions go to the store in the test's home."""
    sentrial.configure()
    yield
    sentrial.shutdown()
    assert carry._starting == {}


def here() -> str | None:
    """The id of the session that is current where this is called."""
    session = _session.current()
    return None if session is None else session.id


def run_in_thread(work: Callable[[], Any], start: Callable[[Callable[[], None]], threading.Thread]) -> Any:
    """What ``work`` gives on the thread that ``start`` starts."""
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    start(lambda: results.put(work())).join(10)
    return results.get_nowait()


def start_plain(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


class OwnRun(threading.Thread):
    """A thread of the program's that calls nothing of Thread's."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self.work = work

    def run(self) -> None:
        self.work()


class OwnStart(OwnRun):
    """One that does something when it is started, and is equal to all others."""

    def start(self) -> None:
        self.started = True
        super().start()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnStart)

    __hash__ = threading.Thread.__hash__


def started(thread: threading.Thread) -> threading.Thread:
    thread.start()
    return thread


STARTS = {
    "target": start_plain,
    "daemon": lambda work: started(threading.Thread(target=work, daemon=True)),
    "own run": lambda work: started(OwnRun(work)),
    "own start": lambda work: started(OwnStart(work)),
    "timer": lambda work: started(threading.Timer(0, work)),
}


@pytest.mark.parametrize("kind", STARTS)
def test_a_thread_runs_in_the_session_that_starts_it(kind: str) -> None:
    with sentrial.begin("u", "agent") as session, session.tool("search") as tool:
        assert run_in_thread(here, STARTS[kind]) == session.session_id
        assert run_in_thread(trace.get_current_span, STARTS[kind]) is tool.span
    assert run_in_thread(here, STARTS[kind]) is None
    assert run_in_thread(otel_context.get_current, STARTS[kind]) == {}


def test_it_is_the_place_of_start_that_counts() -> None:
    results: list[str | None] = []
    with sentrial.begin("u", "outside"):
        made_inside = threading.Thread(target=lambda: results.append(here()))
    made_inside.start()
    made_inside.join()
    made_outside = threading.Thread(target=lambda: results.append(here()))
    with sentrial.begin("u", "inside") as session:
        made_outside.start()
        made_outside.join()
    assert results == [None, session.session_id]


def test_a_thread_gets_no_mark() -> None:
    thread = threading.Thread(target=int)
    with sentrial.begin("u", "agent"):
        thread.start()
        thread.join()
    carry.uninstall()
    unpatched = threading.Thread(target=int)
    unpatched.start()
    unpatched.join()
    assert vars(thread).keys() == vars(unpatched).keys()


def test_starting_wrongly_gets_pythons_own_words() -> None:
    class Unready(threading.Thread):
        def __init__(self) -> None:
            pass

    with sentrial.begin("u", "agent"):
        thread = start_plain(int)
        with pytest.raises(RuntimeError, match="threads can only be started once"):
            thread.start()
        with pytest.raises(RuntimeError, match=r"thread.__init__\(\) not called"):
            Unready().start()
        thread.join()
    assert carry._starting == {}


def test_a_threads_failure_reaches_the_programs_own_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ValueError("the program's own")
    seen: list[tuple[Any, str | None]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append((args.exc_value, here())))

    def fail() -> None:
        raise error

    with sentrial.begin("u", "agent") as session:
        start_plain(fail).join()
    assert seen == [(error, session.session_id)]


def test_threads_of_threads_belong_to_the_session_too() -> None:
    with sentrial.begin("u", "agent") as session:
        assert run_in_thread(lambda: run_in_thread(here, start_plain), start_plain) == session.session_id


def test_a_forked_child_starts_threads_of_its_own_in_no_foreign_context() -> None:
    ended = run_program(
        """
        import os, threading
        import sentrial
        from sentrial import _session
        from sentrial._patch import carry

        def here():
            session = _session.current()
            return session and session.id

        with sentrial.begin("u", "agent") as session:
            carry._starting[1] = object()
            child = os.fork()
            if not child:
                seen = []
                thread = threading.Thread(target=lambda: seen.append(here()))
                thread.start()
                thread.join()
                os._exit(0 if seen == [session.session_id] and carry._starting == {} else 1)
            carry._starting.clear()
            print(os.waitpid(child, 0)[1])
        """
    )
    assert ended.printed == [0]
