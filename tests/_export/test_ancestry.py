"""On which span one hangs whose parents are left out; who waits for whom, and that nobody waits for ever."""

from __future__ import annotations

import gc
from collections.abc import Mapping

import pytest
from opentelemetry.sdk.trace import ReadableSpan, Span, TracerProvider
from opentelemetry.trace import set_span_in_context

from sentrial import _config
from sentrial._config import Config
from sentrial._export import ancestry
from sentrial._export.ancestry import Ancestry, Kept, key_of


class Trace:
    """Spans of one tracer, and what an ancestry gives out as they start and end."""

    def __init__(self, *certain: str) -> None:
        self.tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
        self.out: dict[str, str | None] = {}
        self.names: dict[ancestry.Key, str] = {}
        self.words: dict[str, dict[str, str]] = {}
        self.ancestry = Ancestry(lambda span: span.name in certain, self._words_of)

    def start(self, name: str, parent: Span | None = None) -> Span:
        context = None if parent is None else set_span_in_context(parent)
        span = self.tracer.start_span(name, context)
        assert isinstance(span, Span)
        key = key_of(span.get_span_context())
        self.names[key] = name
        self._note(self.ancestry.started(key, span))
        return span

    def end(self, span: Span, *, sent: bool) -> None:
        span.end()
        key = key_of(span.get_span_context())
        kept = Kept(key, span, None, lambda kept: kept.span) if sent else None
        self._note(self.ancestry.ended(key, span, kept))

    def release(self) -> None:
        self._note(self.ancestry.release())

    def _note(self, ready: list[Kept]) -> None:
        for kept in ready:
            assert kept.span.name not in self.out
            self.out[kept.span.name] = None if kept.parent is None else self.names[kept.parent]
            self.words[kept.span.name] = kept.inherited

    @staticmethod
    def _words_of(span: ReadableSpan) -> Mapping[str, str]:
        return {"user.id": span.name} if span.name.startswith("user") else {}


def test_a_span_waits_until_it_is_known_which_parent_is_sent() -> None:
    trace = Trace()
    top = trace.start("top")
    middle = trace.start("middle", top)
    low = trace.start("low", middle)
    trace.end(low, sent=True)
    assert trace.out == {}
    trace.end(middle, sent=False)
    assert trace.out == {}
    trace.end(top, sent=True)
    assert trace.out == {"low": "top", "top": None}


def test_it_waits_for_no_parent_that_is_sent_for_certain() -> None:
    trace = Trace("agent")
    agent = trace.start("agent", trace.start("request"))
    trace.end(trace.start("call", agent), sent=True)
    assert trace.out == {"call": "agent"}
    assert trace.ancestry.fate(key_of(agent.get_span_context())) is True


def test_without_any_parent_that_is_sent_it_becomes_a_root_and_says_what_they_said() -> None:
    trace = Trace()
    top = trace.start("user ann")
    middle = trace.start("user bob", top)
    trace.end(trace.start("call", middle), sent=True)
    trace.end(middle, sent=False)
    trace.end(top, sent=False)
    assert trace.out == {"call": None}
    assert trace.words == {"call": {"user.id": "user bob"}}


def test_a_release_passes_over_parents_that_still_run() -> None:
    trace = Trace("agent")
    agent = trace.start("agent")
    business = trace.start("user ann", agent)
    trace.end(trace.start("first", business), sent=True)
    assert trace.out == {}
    trace.release()
    assert trace.out == {"first": "agent"}
    assert trace.words == {"first": {"user.id": "user ann"}}
    trace.end(trace.start("second", business), sent=True)
    trace.end(business, sent=True)
    trace.end(agent, sent=True)
    assert trace.out == {"first": "agent", "user ann": "agent", "second": "user ann", "agent": None}


def test_a_child_that_outlives_its_parents_finds_them() -> None:
    trace = Trace()
    top = trace.start("top")
    middle = trace.start("middle", top)
    low = trace.start("low", middle)
    trace.end(top, sent=True)
    trace.end(middle, sent=False)
    trace.end(trace.start("begun later", middle), sent=True)
    trace.end(low, sent=True)
    assert trace.out == {"top": None, "begun later": "top", "low": "top"}


def test_spans_that_it_never_saw_start_are_roots() -> None:
    trace = Trace()
    unknown = trace.tracer.start_span("unknown")
    assert isinstance(unknown, Span)
    trace.end(trace.start("call", unknown), sent=True)
    trace.end(unknown, sent=True)
    assert trace.out == {"call": None, "unknown": None}


def test_a_span_that_ends_twice_is_sent_once() -> None:
    trace = Trace()
    call = trace.start("call")
    key = key_of(call.get_span_context())
    assert trace.ancestry.fate(key) is None
    trace.end(call, sent=True)
    assert trace.ancestry.fate(key) is False


def test_nothing_waits_for_longer_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = Trace()
    top = trace.start("top")
    trace.end(trace.start("first", top), sent=True)
    assert trace.out == {}
    monkeypatch.setattr(ancestry, "LONGEST_WAIT", 0.0)
    trace.end(trace.start("second", top), sent=True)
    assert trace.out == {"first": None, "second": None}


def test_what_waits_is_bounded_in_weight_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config, "active", Config(queue_size=8 * 5_000))  # a span weighs 1,000 and its texts
    trace = Trace()
    top = trace.start("top")
    for number in range(8):
        trace.end(trace.start(f"call {number}", top), sent=True)
    assert trace.out == {"call 0": None, "call 1": None, "call 2": None}
    trace.end(top, sent=True)
    assert {trace.out[f"call {number}"] for number in range(3, 8)} == {"top"}


def test_who_waits_for_one_after_another_weighs_no_more_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config, "active", Config(queue_size=8 * 2_000))
    trace = Trace()
    for _ in range(3):
        trace.out.clear()
        ladder = [trace.start("top")]
        for number in range(5):
            ladder.append(trace.start(f"step {number}", ladder[-1]))
        trace.end(trace.start("call", ladder[-1]), sent=True)
        for step in reversed(ladder):
            assert trace.out == {}
            trace.end(step, sent=step.name == "top")
        assert trace.out == {"call": "top", "top": None}


def test_spans_that_never_end_are_forgotten_and_nobody_waits_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ancestry, "MOST_KNOWN", 5)
    trace = Trace()
    lost = trace.start("lost")
    trace.end(trace.start("call", lost), sent=True)
    assert trace.out == {}
    others = [trace.start(f"other {number}") for number in range(5)]
    assert trace.out == {"call": None}
    for other in others:
        trace.end(other, sent=False)
    trace.end(lost, sent=True)
    assert trace.out == {"call": None, "lost": None}
    assert len(trace.ancestry) == 5


def test_a_span_that_ended_is_not_kept_alive() -> None:
    trace = Trace()
    call = trace.start("call")
    trace.end(call, sent=False)
    trace.names.clear()
    assert [each for each in gc.get_referrers(call) if type(each).__name__ == "_Known"] == []


def test_a_forked_child_leaves_to_its_parent_what_is_the_parents() -> None:
    trace = Trace("agent")
    agent = trace.start("agent")
    business = trace.start("business", agent)
    trace.end(trace.start("before", business), sent=True)
    trace.ancestry.after_fork()
    assert trace.ancestry.fate(key_of(agent.get_span_context())) is False
    trace.end(trace.start("in the child", business), sent=True)
    assert trace.out == {"in the child": "agent"}
    trace.end(business, sent=False)
    trace.end(agent, sent=False)
    trace.end(trace.start("later", business), sent=True)
    assert trace.out == {"in the child": "agent", "later": "agent"}
    trace.release()
    assert "before" not in trace.out
