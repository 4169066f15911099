"""The tests' own garbage collection."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from recorder import garbage


class Slow:
    """Garbage whose collection stands still, as a socket that is closed may."""

    def __init__(self, inside: threading.Event, go: threading.Event) -> None:
        self.itself, self.inside, self.go = self, inside, go

    def __del__(self) -> None:
        self.inside.set()
        assert self.go.wait(30)


class Lost:
    """Garbage in a circle."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_is_collected_though_another_thread_is_in_the_middle_of_a_collection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside, go = threading.Event(), threading.Event()

    def collect() -> None:
        Slow(inside, go)
        gc.collect(0)

    def pause(seconds: float) -> None:
        go.set()
        thread.join(30)

    thread = threading.Thread(target=collect)
    monkeypatch.setattr(garbage.time, "sleep", pause)
    gc.disable()
    try:
        thread.start()
        assert inside.wait(30)
        lost = weakref.ref(Lost())
        assert gc.collect() == 0
        assert lost() is not None
        garbage.collect()
        assert lost() is None
    finally:
        gc.enable()
        go.set()
        thread.join(30)
