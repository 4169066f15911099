"""The context goes with the work into threads and executors while a session is current, and nothing else changes."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context

import sentrial
from running import run_program
from sentrial import _session
from sentrial._patch import carry

METHODS = ((ThreadPoolExecutor, "submit"), (threading.Thread, "start"), (threading.Thread, "_bootstrap_inner"))
UNPATCHED = [vars(owner)[method] for owner, method in METHODS]


def in_place() -> list[Any]:
    return [vars(owner)[method] for owner, method in METHODS]


def unlike(standing: list[Any]) -> list[str]:
    """The methods in whose place something else stands."""
    pairs = zip(METHODS, standing, strict=True)
    return [method for (owner, method), thing in pairs if vars(owner)[method] is not thing]


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    """Set up, with all that belongs to it: the sessions go to the store in the test's home."""
    sentrial.configure()
    yield
    sentrial.shutdown()
    assert unlike(UNPATCHED) == []
    assert carry._starting == {}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """A pool with one worker, which runs already: no session saw it start."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(int).result()
        yield executor


def here() -> str | None:
    """The id of the session that is current where this is called."""
    session = _session.current()
    return None if session is None else session.id


# --- installing ------------------------------------------------------------------------------------------------------


def test_the_methods_are_patched_once_and_put_back() -> None:
    patched = in_place()
    assert unlike(UNPATCHED) == ["submit", "start", "_bootstrap_inner"]
    carry.install()
    assert unlike(patched) == []
    carry.uninstall()
    assert unlike(UNPATCHED) == []
    carry.uninstall()
    assert unlike(UNPATCHED) == []
    carry.install()
    assert unlike(patched) == []


def test_importing_patches_nothing_and_the_first_session_does() -> None:
    ended = run_program(
        """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        before = ThreadPoolExecutor.submit, threading.Thread.start, threading.Thread._bootstrap_inner
        import sentrial
        now = ThreadPoolExecutor.submit, threading.Thread.start, threading.Thread._bootstrap_inner
        print(int(all(map(lambda one, other: one is other, before, now))))
        sentrial.begin("u", "agent").finish()
        print(int(threading.Thread.start is before[1]))
        sentrial.shutdown()
        now = ThreadPoolExecutor.submit, threading.Thread.start, threading.Thread._bootstrap_inner
        print(int(all(map(lambda one, other: one is other, before, now))))
        """
    )
    assert ended.printed == [1, 0, 1]


@pytest.mark.parametrize("off", ["carry_context", "enabled"])
def test_a_setting_leaves_all_unpatched_and_takes_back_what_was_patched(off: str) -> None:
    assert unlike(UNPATCHED) != []
    settings: dict[str, Any] = {off: False}
    sentrial.shutdown()
    sentrial._setup.set_up(settings)
    assert unlike(UNPATCHED) == []
    sentrial._setup.set_up({})
    assert unlike(UNPATCHED) != []
    sentrial._setup.set_up(settings)
    assert unlike(UNPATCHED) == []


def test_the_variable_leaves_all_unpatched(monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor) -> None:
    sentrial.shutdown()
    monkeypatch.setenv("SENTRIAL_CARRY_CONTEXT", "false")
    with sentrial.begin("u", "agent"):
        assert unlike(UNPATCHED) == []
        assert pool.submit(here).result() is None


@pytest.mark.parametrize(("owner", "method"), METHODS)
def test_a_patched_method_looks_like_the_original(owner: type, method: str) -> None:
    patched = getattr(owner, method)
    carry.uninstall()
    original = getattr(owner, method)
    assert patched is not original
    assert inspect.isfunction(patched)
    assert inspect.signature(patched) == inspect.signature(original)
    assert inspect.getsource(patched) == inspect.getsource(original)
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        assert getattr(patched, name) == getattr(original, name)


def test_what_somebody_else_has_patched_on_top_stays(pool: ThreadPoolExecutor) -> None:
    ours = ThreadPoolExecutor.submit
    seen: list[Any] = []

    def theirs(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        seen.append(fn)
        return ours(self, fn, *args, **kwargs)

    theirs.__wrapped__ = ours  # type: ignore[attr-defined]  # as functools.wraps does
    ThreadPoolExecutor.submit = theirs  # type: ignore[method-assign]  # the test's
    try:
        with sentrial.begin("u", "agent") as session:
            assert pool.submit(here).result() == session.session_id
            carry.uninstall()
            assert unlike([theirs, *UNPATCHED[1:]]) == []
            assert pool.submit(here).result() is None
            carry.install()
            assert pool.submit(here).result() == session.session_id
            assert ThreadPoolExecutor.submit is theirs
    finally:
        ThreadPoolExecutor.submit = ours  # type: ignore[method-assign]  # as above
    assert seen[-3:] == [here, here, here]  # before them, the SDK detects its resource


# --- executors -------------------------------------------------------------------------------------------------------


def test_submitted_work_runs_in_the_session_and_the_worker_is_left_as_it_was(pool: ThreadPoolExecutor) -> None:
    with sentrial.begin("u", "agent") as session, session.tool("search") as tool:
        assert pool.submit(here).result() == session.session_id
        assert pool.submit(trace.get_current_span).result() is tool.span
        assert list(pool.map(lambda _: here(), range(3))) == [session.session_id] * 3
    assert pool.submit(here).result() is None
    assert pool.submit(otel_context.get_current).result() == {}


def test_a_session_that_the_work_forgets_does_not_stay_on_the_worker(pool: ThreadPoolExecutor) -> None:
    with sentrial.begin("u", "agent"):
        forgotten = pool.submit(sentrial.begin, "other", "forgotten").result()
        assert pool.submit(here).result() != forgotten.session_id
    assert pool.submit(here).result() is None
    forgotten.finish()


def test_only_opentelemetrys_context_is_carried(pool: ThreadPoolExecutor) -> None:
    of_the_program = contextvars.ContextVar("of the program", default="default")
    of_the_program.set("the caller's")
    with sentrial.begin("u", "agent"):
        token = otel_context.attach(baggage.set_baggage("tenant", "t1"))
        assert pool.submit(baggage.get_baggage, "tenant").result() == "t1"
        assert pool.submit(of_the_program.get).result() == "default"
        seen: list[str] = []
        thread = threading.Thread(target=lambda: seen.append(of_the_program.get()))
        thread.start()
        thread.join()
        assert seen == ["default"]
        otel_context.detach(token)


def test_what_the_work_does_to_the_programs_variables_stays(pool: ThreadPoolExecutor) -> None:
    of_the_program = contextvars.ContextVar("of the program", default="default")
    with sentrial.begin("u", "agent"):
        pool.submit(of_the_program.set, "the worker's").result()
    assert pool.submit(of_the_program.get).result() == "the worker's"


def caller_file() -> str:
    """The file of the code that calls the work."""
    return inspect.currentframe().f_back.f_code.co_filename  # type: ignore[union-attr]  # CPython has frames


def test_without_a_session_work_reaches_the_worker_as_it_is(pool: ThreadPoolExecutor) -> None:
    with trace.get_tracer("app").start_as_current_span("request"):
        assert pool.submit(caller_file).result() == inspect.getfile(ThreadPoolExecutor)
        assert not pool.submit(trace.get_current_span).result().get_span_context().is_valid
    with sentrial.begin("u", "agent"):
        assert pool.submit(caller_file).result() == carry.__file__
    session = sentrial.begin("u", "agent")
    inside = contextvars.copy_context()
    session.finish()
    assert inside.run(pool.submit, caller_file).result() == inspect.getfile(ThreadPoolExecutor)


def test_results_exceptions_and_cancellation_are_those_of_the_work(pool: ThreadPoolExecutor) -> None:
    error = ValueError("the program's own")

    def fail() -> None:
        raise error

    with sentrial.begin("u", "agent"):
        future = pool.submit(divmod, 7, 2)
        assert type(future) is Future
        assert future.result() == (3, 1)
        assert pool.submit(dict, self=1, fn=2, work=3, context=4).result() == {
            "self": 1, "fn": 2, "work": 3, "context": 4,
        }  # fmt: skip
        assert pool.submit(fail).exception() is error
        gate = threading.Event()
        running = pool.submit(gate.wait, 60)
        waiting = pool.submit(int)
        assert waiting.cancel()
        gate.set()
        assert running.result() is True
        with pytest.raises(CancelledError):
            waiting.result()
        assert isinstance(pool.submit(sys.exit, 3).exception(), SystemExit)


@pytest.mark.parametrize("call", [lambda pool: pool.submit(), lambda pool: pool.submit(fn=int)])
def test_wrong_calls_get_pythons_own_words(pool: ThreadPoolExecutor, call: Callable[[Any], Any]) -> None:
    with sentrial.begin("u", "agent"), pytest.raises(TypeError) as ours:
        call(pool)
    carry.uninstall()
    with pytest.raises(TypeError) as pythons:
        call(pool)
    assert str(ours.value) == str(pythons.value)


def test_what_cannot_be_called_fails_as_ever(pool: ThreadPoolExecutor) -> None:
    with sentrial.begin("u", "agent"):
        future = pool.submit(5)  # type: ignore[arg-type]  # wrong on purpose
        assert str(future.exception()) == "'int' object is not callable"
    pool.shutdown()
    with sentrial.begin("u", "agent"), pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        pool.submit(int)


class LoggingPool(ThreadPoolExecutor):
    """A pool of the program's, which looks at what it is given."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.names = [*getattr(self, "names", []), fn.__name__]
        return super().submit(fn, *args, **kwargs)


def test_a_pool_with_a_submit_of_its_own_works_on() -> None:
    with LoggingPool(1) as pool, sentrial.begin("u", "agent") as session:
        assert pool.submit(here).result() == session.session_id
        assert pool.names == ["here"]


def test_work_that_is_pickled_for_a_worker_elsewhere_leaves_its_context_behind() -> None:
    with sentrial.begin("u", "agent"):
        carried = carry.Carried(divmod, otel_context.get_current())
    assert carried.__name__ == "divmod"
    text = pickle.dumps(carried)
    assert b"sentrial" not in text
    assert pickle.loads(text)(7, 2) == (3, 1)


def test_a_process_pool_works_inside_a_session() -> None:
    ended = run_program(
        """
        from concurrent.futures import ProcessPoolExecutor
        import multiprocessing
        import sentrial
        with sentrial.begin("u", "agent"):
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                print(pool.submit(max, 7, 9).result(), flush=True)
                print(*pool.map(min, [7], [9]), flush=True)
        """
    )
    assert ended.printed == [9, 7]


async def test_an_event_loops_executor_runs_in_the_session() -> None:
    loop = asyncio.get_running_loop()
    with sentrial.begin("u", "agent") as session:
        assert await loop.run_in_executor(None, here) == session.session_id
        assert await asyncio.to_thread(here) == session.session_id
    assert await loop.run_in_executor(None, here) is None
