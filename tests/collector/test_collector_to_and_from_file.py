"""to-file.yaml and from-file.yaml: OTLP/JSON lines on disk, the collector's and ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sentrial
from real_collector import (
    KEY,
    NAMES,
    SentrialBehindCollector,
    StartCollector,
    by_session,
    span_keys,
    spans_in_file,
    support_session,
)
from receivers import SentrialStandIn


def in_order(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(spans, key=lambda span: span["span_id"])


def test_what_one_collector_wrote_another_one_sends_and_nothing_is_different(
    start_collector: StartCollector,
    far_end: SentrialBehindCollector,
    violations: Callable[..., list[dict[str, Any]]],
    tmp_path: Path,
) -> None:
    file = tmp_path / "sessions.jsonl"
    writer = start_collector("to-file.yaml", COLLECTOR_FILE=file)
    sentrial.configure(otlp_endpoint=writer.http_url, flush_interval=0.05)
    ids = [support_session(number, failed=number == 1) for number in range(2)]
    assert sentrial.flush(10)
    writer.stop()  # writes what it holds
    written = spans_in_file(file)
    assert by_session(written) == {ids[0]: NAMES, ids[1]: sorted([*NAMES, "error"])}
    assert violations(file, 9) == []

    start_collector("from-file.yaml", COLLECTOR_FILES=tmp_path / "*.jsonl")
    assert in_order(far_end.wait_for_spans(9)) == in_order(written)


def test_lines_of_ours_pass_unchanged_long_ones_too_and_a_restart_sends_nothing_twice(
    start_collector: StartCollector, far_end: SentrialBehindCollector, tmp_path: Path
) -> None:
    with SentrialStandIn([KEY]) as direct:
        sentrial.configure(api_key=KEY, api_url=direct.url, flush_interval=0.05)
        support_session(1)
        support_session(2, text="long " * 190_000)  # in three messages: beyond the default of 1 MiB a line
        assert sentrial.flush(10)
        sent = direct.spans
        lines = direct.otlp_json()
    assert max(map(len, lines.splitlines())) > 2 * 2**20
    assert all(json.loads(line) for line in lines.splitlines())
    file = tmp_path / "ours.jsonl"
    file.write_text(lines, encoding="utf-8")

    reader = start_collector("from-file.yaml", COLLECTOR_FILES=file)
    assert in_order(far_end.wait_for_spans(8)) == in_order(sent)
    reader.wait_for_metric("exporter_sent_spans", 8)
    reader.stop()
    reader.start()
    with file.open("a", encoding="utf-8") as more:
        more.write(lines.splitlines()[0] + "\n")
    first = len(json.loads(lines.splitlines()[0])["resourceSpans"][0]["scopeSpans"][0]["spans"])
    assert span_keys(far_end.wait_for_spans(8 + first)) == sorted(span_keys(sent) + span_keys(sent[:first]))


def test_more_than_the_queue_holds_waits_in_the_file(
    start_collector: StartCollector, far_end: SentrialBehindCollector, tmp_path: Path
) -> None:
    with SentrialStandIn([KEY]) as direct:
        sentrial.configure(api_key=KEY, api_url=direct.url, flush_interval=0.05)
        for number in range(30):
            support_session(number, text="long " * 10_000)
            assert sentrial.flush(10)
        sent = direct.spans
        lines = direct.otlp_json()
    assert len(lines) > 3_000_000
    file = tmp_path / "ours.jsonl"
    file.write_text(lines, encoding="utf-8")

    far_end.silence()
    reader = start_collector("from-file.yaml", COLLECTOR_FILES=file, COLLECTOR_QUEUE_BYTES=1_000_000)
    reader.wait_for_metric("exporter_queue_size", 800_000)
    far_end.speak()
    assert span_keys(far_end.wait_for_spans(120)) == span_keys(sent)
    assert reader.metric("exporter_enqueue_failed_spans") == 0
