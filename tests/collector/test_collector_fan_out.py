"""fan-out.yaml: two backends, and whatever becomes of one of them, the other has everything once."""

from __future__ import annotations

from pathlib import Path

import pytest

import sentrial
from real_collector import (
    NAMES,
    SentrialBehindCollector,
    StartCollector,
    by_session,
    span_keys,
    support_session,
)
from receivers import OtlpHttpReceiver

CONTENT = {
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result",
    "input.value", "output.value",
    "sentrial.decision.reasoning", "sentrial.decision.alternatives", "sentrial.decision.chosen",
}  # fmt: skip
"""What a session of ours has of it."""


def test_both_get_every_session_and_sentrial_alone_gets_the_content(
    start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    with OtlpHttpReceiver() as other:
        collector = start_collector("fan-out.yaml", OTHER_ENDPOINT=other.url)
        sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.05)
        session = support_session(1)
        assert sentrial.flush(10)
        far_end.wait_for_spans(4)
        other.wait_for_spans(4)
    assert by_session(far_end.spans) == by_session(other.spans) == {session: NAMES}
    whole = {span["span_id"]: set(span["attributes"]) for span in far_end.spans}
    without = {span["span_id"]: set(span["attributes"]) for span in other.spans}
    assert set().union(*whole.values()) >= CONTENT
    assert without == {span: keys - CONTENT for span, keys in whole.items()}


@pytest.mark.parametrize("dead", ["sentrial", "other"])
def test_a_backend_that_is_dead_and_its_queue_full_costs_the_other_neither_time_nor_spans_nor_doubles(
    dead: str, start_collector: StartCollector, far_end: SentrialBehindCollector
) -> None:
    with OtlpHttpReceiver() as other:
        down, up = (far_end, other) if dead == "sentrial" else (other, far_end)
        down.silence()
        # Some three batches fit: more than the other ever has on its way.
        collector = start_collector("fan-out.yaml", OTHER_ENDPOINT=other.url, COLLECTOR_QUEUE_BYTES=100_000)
        sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.05)
        ids: list[str] = []
        for batch in range(8):
            ids += [support_session(number) for number in range(batch * 10, batch * 10 + 10)]
            assert sentrial.flush(10)
            up.wait_for_spans(len(ids) * 4)
        assert collector.metric("receiver_refused_spans") == 0
        assert sentrial.stats() == {"collector": {"stored": 320}}
        assert by_session(up.spans) == dict.fromkeys(ids, NAMES)
        assert len(up.spans) == 320

        # What its queue holds it gets when it is back; the rest is lost, and counted.
        exporter = f"otlp_http/{dead}"
        collector.wait_for_metric("exporter_enqueue_failed_spans", 1, exporter=exporter)
        down.speak()

        def accounted_for() -> list[float]:
            return [
                collector.metric(f"exporter_{what}_spans", exporter=exporter) for what in ("sent", "enqueue_failed")
            ]

        far_end.wait_until(lambda: sum(accounted_for()) == 320)
        late, lost = accounted_for()
        assert min(late, lost) > 0
        assert len(set(span_keys(down.spans))) == len(down.spans) == late


WITHOUT_BATCH = """
service:
  pipelines:
    traces/sentrial: { processors: [memory_limiter] }
    traces/other: { processors: [memory_limiter] }
"""


def test_without_the_batch_processors_a_dead_backend_makes_the_other_get_spans_twice(
    start_collector: StartCollector, far_end: SentrialBehindCollector, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text(WITHOUT_BATCH, encoding="utf-8")
    with OtlpHttpReceiver() as other:
        other.silence()
        collector = start_collector("fan-out.yaml", changed, OTHER_ENDPOINT=other.url, COLLECTOR_QUEUE_BYTES=100_000)
        sentrial.configure(otlp_endpoint=collector.http_url, flush_interval=0.05)
        for _ in range(50):
            for number in range(10):
                support_session(number)
            if not sentrial.flush(1.0):
                break  # the dead one's queue is full, and the SDK has to try again
        far_end.wait_until(lambda: len(far_end.spans) > len(set(span_keys(far_end.spans))))
        other.speak()
        assert sentrial.flush(20)
