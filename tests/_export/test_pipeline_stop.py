"""What comes just while the pipeline stops: it takes no more, and leaves nothing behind."""

from __future__ import annotations

import logging
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import sentrial
from receivers import SentrialStandIn
from running import Meanwhile
from running.line import make_spans
from sentrial import _setup
from sentrial._config import Config
from sentrial._export import pipeline as pipelines
from sentrial._export.item import Item
from sentrial._export.pipeline import Pipeline
from sentrial._export.redact import SecretMasker
from sentrial._session import Account

KEY = "sentrial_test_key"


@pytest.fixture
def server() -> Iterator[SentrialStandIn]:
    with SentrialStandIn([KEY]) as stand_in:
        yield stand_in
        sentrial.shutdown(timeout=0.1)


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    made = Pipeline(_setup.makers, before_shutdown=lambda: None)
    made.start(Config(), SecretMasker())
    yield made
    made.stop(0.1)


def our_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sentrial")]


@pytest.mark.parametrize("store", [None, False])
def test_a_span_that_ends_while_all_is_shut_down_is_not_taken_for_one_without_a_destination(
    server: SentrialStandIn, store: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sentrial.configure(api_key=KEY, api_url=server.url, store=store)
    session = sentrial.begin("u", "agent")
    tool = session.tool("t", {})
    tool.__enter__()
    span_ended = pipelines.span_ended

    def shut_down_meanwhile(*given: Any) -> None:
        monkeypatch.setattr(pipelines, "span_ended", span_ended)
        sentrial.shutdown()
        span_ended(*given)

    monkeypatch.setattr(pipelines, "span_ended", shut_down_meanwhile)
    tool.__exit__(None, None, None)
    assert our_threads() == []
    assert not (Path(os.environ["HOME"]) / ".local").exists()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("account", [Account("http://127.0.0.1:9", KEY), None], ids=["for Sentrial", "for the store"])
def test_what_a_door_lets_in_while_the_pipeline_stops_goes_nowhere(
    pipeline: Pipeline, account: Account | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (span,) = make_spans("a")
    stops = Meanwhile(pipeline._lock, lambda: pipeline.stop(0.1))
    monkeypatch.setattr(pipeline, "_lock", stops)
    pipeline.take_outside(Item(span, None, None, pipeline.ready), account)
    assert our_threads() == []
    assert (pipeline.accounts, pipeline.stats()) == ((), {})


class Keeper:
    """Keeps nothing back."""

    def release(self) -> None:
        pass

    def after_fork(self) -> None:
        pass


def test_who_keeps_spans_back_may_come_while_the_others_are_asked(pipeline: Pipeline) -> None:
    keepers = [Keeper() for _ in range(3)]
    pipeline.add_holder(keepers[0])
    pipeline.add_holder(keepers[1])
    comes = threading.Thread(target=pipeline.add_holder, args=(keepers[2],))

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code is weakref.WeakSet.__iter__.__code__ and event == "line" and "item" in frame.f_locals:
            if comes.ident is None:
                comes.start()
            comes.join(0.2)  # it has to wait until all are asked
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert pipeline.flush(30)
    finally:
        sys.settrace(before)
    comes.join(30)
    assert len(pipeline._holders) == 3
