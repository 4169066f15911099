"""The threads that empty queues: how many there are, and when they come and go."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from running import Meanwhile
from sentrial._export.crew import Crew

TIMEOUT = 20


class Job:
    """Something to do: notes who did it, and waits for ``gate`` before that is over."""

    def __init__(self, done: queue.SimpleQueue[Any], name: object = None, gate: threading.Event | None = None) -> None:
        self.done = done
        self.name = name
        self.gate = gate
        self.began = threading.Event()
        self.was_alone: bool | None = None
        self.let_go_of = False

    def work(self, *, alone: bool) -> None:
        self.was_alone = alone
        self.began.set()
        if self.gate is not None:
            assert self.gate.wait(TIMEOUT)
        self.done.put((self.name, threading.current_thread()))

    def let_go(self) -> None:
        self.let_go_of = True


@pytest.fixture
def done() -> queue.SimpleQueue[Any]:
    return queue.SimpleQueue()


@pytest.fixture
def crews() -> Iterator[list[Crew]]:
    made: list[Crew] = []
    yield made
    for crew in made:
        threads = tuple(crew.threads)
        crew.close(TIMEOUT)
        for thread in threads:
            thread.join(TIMEOUT)
        assert [thread for thread in threads if thread.is_alive()] == []


def make(crews: list[Crew], **settings: Any) -> Crew:
    crews.append(Crew("sentrial test", **settings))
    return crews[-1]


def test_there_is_no_thread_before_there_is_work(crews: list[Crew], done: queue.SimpleQueue[Any]) -> None:
    crew = make(crews)
    assert crew.threads == set()
    crew.call(Job(done, "job"))
    name, thread = done.get(timeout=TIMEOUT)
    assert name == "job"
    assert thread.name == "sentrial test"
    assert thread.daemon
    assert crew.threads == {thread}


def test_one_thread_does_one_thing_after_the_other(crews: list[Crew], done: queue.SimpleQueue[Any]) -> None:
    crew = make(crews)
    for number in range(100):
        crew.call(Job(done, number))
    answers = [done.get(timeout=TIMEOUT) for _ in range(100)]
    assert [name for name, _ in answers] == list(range(100))
    assert len({thread for _, thread in answers}) == 1


def test_what_blocks_one_thread_holds_up_no_other_work_and_the_threads_are_so_many_at_most(
    crews: list[Crew], done: queue.SimpleQueue[Any]
) -> None:
    crew = make(crews, most=3)
    gate = threading.Event()
    blocked = [Job(done, "blocked", gate) for _ in range(2)]
    for job in blocked:
        crew.call(job)
    for job in blocked:
        assert job.began.wait(TIMEOUT)
    for number in range(50):
        crew.call(Job(done, number))
    assert sorted(done.get(timeout=TIMEOUT)[0] for _ in range(50)) == list(range(50))
    assert len(crew.threads) == 3
    gate.set()
    assert [done.get(timeout=TIMEOUT)[0] for _ in range(2)] == ["blocked"] * 2


def test_a_thread_knows_whether_somebody_waits_for_it(crews: list[Crew], done: queue.SimpleQueue[Any]) -> None:
    crew = make(crews)
    gate = threading.Event()
    first, second, third = Job(done, 1, gate), Job(done, 2), Job(done, 3)
    crew.call(first)
    assert first.began.wait(TIMEOUT)
    crew.call(second)
    crew.call(third)
    gate.set()
    for _ in range(3):
        done.get(timeout=TIMEOUT)
    assert [first.was_alone, second.was_alone, third.was_alone] == [True, False, True]


def test_a_thread_that_has_nothing_to_do_for_long_ends_and_another_comes_with_the_next_work(
    crews: list[Crew], done: queue.SimpleQueue[Any]
) -> None:
    crew = make(crews, patience=0.01)
    crew.call(Job(done))
    _, first = done.get(timeout=TIMEOUT)
    first.join(TIMEOUT)
    assert not first.is_alive()
    assert crew.threads == set()
    crew.call(Job(done))
    _, second = done.get(timeout=TIMEOUT)
    assert second is not first


def test_no_work_is_left_behind_where_threads_come_and_go_all_the_time(
    crews: list[Crew], done: queue.SimpleQueue[Any]
) -> None:
    crew = make(crews, most=4, patience=0.0)

    def call(caller: int) -> None:
        for number in range(500):
            crew.call(Job(done, (caller, number)))

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    answers = {done.get(timeout=TIMEOUT)[0] for _ in range(2_000)}
    assert answers == {(caller, number) for caller in range(4) for number in range(500)}


def test_the_ones_served_lately_keep_what_they_keep(crews: list[Crew], done: queue.SimpleQueue[Any]) -> None:
    crew = make(crews, most=1)
    jobs = [Job(done, number) for number in range(3)]
    for job in jobs:
        crew.call(job)
    last = Job(done, "last")
    crew.call(last)
    for _ in range(4):
        done.get(timeout=TIMEOUT)
    crew.close(TIMEOUT)
    assert [job.let_go_of for job in (*jobs, last)] == [True, True, True, False]


def test_threads_are_there_before_there_is_work_for_them(crews: list[Crew], done: queue.SimpleQueue[Any]) -> None:
    crew = make(crews, most=2)
    for _ in range(5):
        crew.prepare(3)
    assert len(crew.threads) == 2


def test_threads_are_not_more_where_two_prepare_at_the_same_time(
    crews: list[Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = make(crews)
    monkeypatch.setattr(crew, "_starting", Meanwhile(crew._starting, lambda: crew.prepare(1)))
    crew.prepare(1)
    assert len(crew.threads) == 1


def test_a_crew_that_is_closed_while_somebody_prepares_starts_no_thread(
    crews: list[Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = make(crews)
    monkeypatch.setattr(crew, "_starting", Meanwhile(crew._starting, lambda: crew.close(TIMEOUT)))
    crew.prepare(1)
    assert crew.threads == set()


def test_close_ends_all_threads_after_their_work(crews: list[Crew], done: queue.SimpleQueue[Any]) -> None:
    crew = make(crews, most=2)
    for number in range(10):
        crew.call(Job(done, number))
    threads = tuple(crew.threads)
    crew.close(TIMEOUT)
    assert [thread.is_alive() for thread in threads] == [False] * len(threads)
    assert sorted(done.get(timeout=TIMEOUT)[0] for _ in range(10)) == list(range(10))


def test_what_ends_a_thread_is_not_taken_for_work_that_nobody_does(
    crews: list[Crew], done: queue.SimpleQueue[Any]
) -> None:
    """A thread that wakes for the last work finds the end of the crew behind it, and may not call another for that."""
    crew = make(crews, most=2)
    crew.call(Job(done))
    done.get(timeout=TIMEOUT)
    time.sleep(0.05)  # the thread waits for more
    before = sys.getswitchinterval()
    sys.setswitchinterval(TIMEOUT)  # ... and does not run again before all is queued
    try:
        crew.call(Job(done))
        crew.close(TIMEOUT)
    finally:
        sys.setswitchinterval(before)
    assert crew.threads == set()
