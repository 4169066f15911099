"""sampling.yaml: sessions are kept whole or not at all, and what becomes of those that outlast the decision."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opentelemetry import trace

import sentrial
from real_collector import (
    NAMES,
    Collector,
    SentrialBehindCollector,
    StartCollector,
    by_session,
    support_session,
)

DECIDED = "processor_tail_sampling_global_count_traces_sampled"
LATE = "processor_tail_sampling_early_releases_from_cache_decision"
SOON = {"COLLECTOR_DECISION_WAIT": "30s", "COLLECTOR_WAIT_AFTER_ROOT": "1s", "COLLECTOR_SHARE_PERCENT": "0"}

"""A session is decided by its root, a second after that has arrived."""
EVEN_IF_OPEN = {**SOON, "COLLECTOR_DECISION_WAIT": "2s"}


def sending_to(collector: Collector) -> None:
    sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.05)


def test_failed_slow_and_expensive_sessions_are_kept_whole_and_of_the_rest_nothing_at_a_share_of_none(
    start_collector: StartCollector,
    far_end: SentrialBehindCollector,
    violations: Callable[..., list[dict[str, Any]]],
) -> None:
    collector = start_collector("sampling.yaml", COLLECTOR_EXPENSIVE_USD=0.25, COLLECTOR_SLOW_MS=30_000, **SOON)
    sending_to(collector)
    ordinary = [support_session(number, cost=0.2) for number in range(20)]
    failed = support_session(20, failed=True)
    expensive = support_session(21, cost=0.25)
    with sentrial.begin(user_id="user-22", event="support-agent", input="?") as recovered:
        recovered.track_tool_call("search", {"q": 1}, None, tool_error={"message": "timed out"})
        recovered.finish(output="It comes tomorrow.", success=True)
    with sentrial.begin(user_id="user-23", event="support-agent", input="?") as slow:
        a_minute_ago = time.time_ns() - 60 * 10**9
        trace.get_tracer("app").start_span("SELECT", start_time=a_minute_ago).end()
    assert sentrial.flush(10)
    collector.wait_for_metric(DECIDED, 24)
    far_end.wait_for_spans(13)
    assert by_session(far_end.spans) == {
        failed: sorted([*NAMES, "error"]),
        expensive: NAMES,
        recovered.session_id: ["execute_tool search", "invoke_agent support-agent"],
        slow.session_id: ["SELECT", "invoke_agent support-agent"],
    }
    assert (collector.metric(DECIDED, sampled="true"), collector.metric(DECIDED, sampled="false")) == (4, 20)
    assert not set(ordinary) & set(by_session(far_end.spans))
    assert violations(far_end.otlp_json(), 13) == []


def test_a_share_of_the_rest_is_kept_and_each_of_these_is_whole(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    collector = start_collector("sampling.yaml", **{**SOON, "COLLECTOR_SHARE_PERCENT": "30"})
    sending_to(collector)
    ids = [support_session(number) for number in range(400)]
    assert sentrial.flush(20)
    collector.wait_for_metric(DECIDED, 400)
    kept = int(collector.metric(DECIDED, sampled="true"))
    far_end.wait_for_spans(kept * 4)
    # 120 are expected; five standard deviations are 46.
    assert 74 <= kept <= 166
    arrived = by_session(far_end.spans)
    assert len(arrived) == kept
    assert set(arrived) < set(ids)
    assert [names for names in arrived.values() if names != NAMES] == []


def test_a_session_longer_than_the_wait_is_kept_and_what_comes_later_follows(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    collector = start_collector("sampling.yaml", **EVEN_IF_OPEN)
    sending_to(collector)
    with sentrial.begin(user_id="user-1", event="support-agent", input="?") as session:
        with session.tool("first", {}):
            pass
        assert sentrial.flush(10)
        # Decided while it is open: it has no root yet.
        assert [span["name"] for span in far_end.wait_for_spans(1)] == ["execute_tool first"]
        assert collector.wait_for_metric(DECIDED, 1, sampled="true") == 1
        with session.tool("second", {}):
            pass
        assert sentrial.flush(10)
        far_end.wait_for_spans(2)
        session.set_output("It comes tomorrow.")
    assert sentrial.flush(10)
    far_end.wait_for_spans(3)
    whole = {session.session_id: ["execute_tool first", "execute_tool second", "invoke_agent support-agent"]}
    assert by_session(far_end.spans) == whole
    # One decision, and two spans that followed it.
    assert (collector.metric(DECIDED), collector.metric(LATE, sampled="true")) == (1, 2)


WITHOUT_STILL_OPEN = """
processors:
  tail_sampling:
    policies:
      - { name: failed, type: string_attribute, string_attribute: { key: sentrial.session.outcome, values: [failed] } }
"""


def test_without_the_policy_for_open_ones_a_long_session_is_dropped_even_if_it_fails_in_the_end(
    start_collector: StartCollector, far_end: SentrialBehindCollector, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text(WITHOUT_STILL_OPEN, encoding="utf-8")
    collector = start_collector("sampling.yaml", changed, **EVEN_IF_OPEN)
    sending_to(collector)
    with sentrial.begin(user_id="user-1", event="support-agent", input="?") as session:
        with session.tool("first", {}):
            pass
        assert sentrial.flush(10)
        collector.wait_for_metric(DECIDED, 1, sampled="false")
        session.finish(success=False, failure_reason="no such order")
    assert sentrial.flush(10)
    collector.wait_for_metric(LATE, 1, sampled="false")
    assert far_end.spans == []


def test_events_told_after_the_end_follow_what_was_decided_at_the_end(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    collector = start_collector("sampling.yaml", **SOON)
    sending_to(collector)
    handles = []
    for failed in (True, False):
        with sentrial.begin(user_id="user-1", event="support-agent", input="?") as session:
            handles.append(session.export())
            session.finish(success=not failed)
    assert sentrial.flush(10)
    collector.wait_for_metric(DECIDED, 2)
    for handle in handles:
        sentrial.resume(handle).track_error("the customer complains", error_type="Complaint")
    assert sentrial.flush(10)
    collector.wait_for_metric(LATE, 1, sampled="true")
    collector.wait_for_metric(LATE, 1, sampled="false")
    far_end.wait_for_spans(2)
    assert [span["name"] for span in far_end.spans] == ["invoke_agent support-agent", "error"]
    assert len(by_session(far_end.spans)) == 1


def test_an_orderly_stop_decides_what_is_undecided_by_what_has_arrived(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    waits = {**SOON, "COLLECTOR_DECISION_WAIT": "1h", "COLLECTOR_WAIT_AFTER_ROOT": "1h"}
    collector = start_collector("sampling.yaml", **waits)
    sending_to(collector)
    failed = support_session(1, failed=True)
    support_session(2)
    assert sentrial.flush(10)
    collector.stop()
    assert by_session(far_end.spans) == {failed: sorted([*NAMES, "error"])}
