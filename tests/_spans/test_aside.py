"""What is put aside, and a span processor of somebody's that stands still: whoever waits for it waits for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

import sentrial
from sentrial._spans import aside


@pytest.fixture
def go() -> Iterator[threading.Event]:
    """Lets the thread of ours go on, which stands still in what was put aside."""
    inside, go = threading.Event(), threading.Event()

    def end() -> None:
        inside.set()
        assert go.wait(60)

    aside.ensure_thread()
    aside.put(end)
    assert inside.wait(30)
    yield go
    go.set()
    aside.stop()


def answer_of(wait: Callable[[], object]) -> list[object]:
    """What ``wait`` gives; nothing where it waits for ever."""
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(wait()), daemon=True)
    thread.start()
    thread.join(20)
    return answers


def test_it_is_settled_when_all_that_was_put_aside_is_called(go: threading.Event) -> None:
    called: list[str] = []
    aside.put(lambda: called.append("second"))
    assert answer_of(lambda: aside.settle(timeout=0)) == [False]
    assert answer_of(lambda: aside.settle(timeout=0.01)) == [False]
    assert called == []
    go.set()
    assert aside.settle(timeout=30)
    assert called == ["second"]


def test_a_flush_keeps_to_its_time(go: threading.Event) -> None:
    sentrial.configure(store=False)
    assert answer_of(lambda: sentrial.flush(0.01)) == [False]
    go.set()
    assert sentrial.flush(30)


def test_the_thread_that_stands_still_is_given_up_and_ends_when_it_is_let_go(
    go: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "PATIENCE", 0.01)
    thread = aside._thread
    assert thread is not None
    assert answer_of(aside.stop) == [None]
    assert thread.is_alive()
    go.set()
    thread.join(30)
    assert not thread.is_alive()
