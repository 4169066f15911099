"""What no public name tells of a handler: what it keeps, and the locks under which it does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from sentrial._frameworks.langchain import counters, runs
from sentrial._frameworks.langchain.handler import RunHandler
from sentrial._frameworks.langchain.runs import Run
from sentrial._spans import aside


def open_runs(handler: RunHandler) -> list[Run]:
    """The runs that it waits for the end of."""
    return handler._recorder.runs.open()


def counted_calls(handler: RunHandler) -> int:
    """How many model calls it has counted, for one that has no totals to ask for."""
    return handler._recorder.counters.llm_calls


def unpriced_calls(handler: RunHandler) -> int:
    """How many model calls it remembers until somebody asks what they cost."""
    return len(handler._recorder.counters._unpriced)


@contextlib.contextmanager
def holding_locks() -> Iterator[None]:
    """No other thread can begin or end a run in the block, nor count a call."""
    with runs._lock, counters._counting, counters._pricing:
        yield


@contextlib.contextmanager
def holding_ends() -> Iterator[None]:
    """What is put aside in the block is not ended before its end: the thread for that is busy."""
    busy, may_go_on = threading.Event(), threading.Event()

    def work() -> None:
        busy.set()
        assert may_go_on.wait(60)

    aside.ensure_thread()
    aside.put(work)
    assert busy.wait(30)
    try:
        yield
    finally:
        may_go_on.set()
