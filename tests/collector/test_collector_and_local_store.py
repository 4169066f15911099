"""What ``sentrial sessions export`` writes and ``send --file`` reads, and the real collector on the other side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sentrial
from real_collector import KEY, SentrialBehindCollector, StartCollector, spans_in_file, support_session
from receivers import SentrialStandIn
from terminal import printed, run


def in_order(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(spans, key=lambda span: str(span["span_id"]))


def test_the_collectors_receiver_reads_what_was_exported_without_being_told_of_long_lines(
    start_collector: StartCollector, far_end: SentrialBehindCollector, tmp_path: Path
) -> None:
    store, file, usual = tmp_path / "sessions.db", tmp_path / "exported.jsonl", tmp_path / "usual.yaml"
    with SentrialStandIn([KEY]) as direct:
        sentrial.configure(api_key=KEY, api_url=direct.url, store=str(store))
        for number in range(12):
            support_session(number, failed=number % 3 == 0, text="wörds\u2028 " * 30_000)
        assert sentrial.flush(30)
        sent = direct.spans
        sentrial.shutdown()
    ran = run("sessions", "export", "--all", "-o", file, "--store", store)
    assert (ran.returncode, ran.stderr) == (0, f"exported 12 sessions, {len(sent)} spans\n")
    lines = file.read_bytes().splitlines()
    assert len(lines) > 12, "a session of more than a megabyte takes several lines"
    assert max(map(len, lines)) < 1_000_000
    # As receivers are set up that nobody has told of long lines.
    usual.write_text("receivers:\n  otlp_json_file:\n    max_log_size: 1MiB\n", encoding="utf-8")
    start_collector("from-file.yaml", usual, COLLECTOR_FILES=file)
    assert in_order(far_end.wait_for_spans(len(sent))) == in_order(sent)


def test_what_a_collector_wrote_is_sent_and_taken_into_the_store(
    start_collector: StartCollector, far_end: SentrialBehindCollector, tmp_path: Path
) -> None:
    file, store = tmp_path / "sessions.jsonl", tmp_path / "sessions.db"
    writer = start_collector("to-file.yaml", COLLECTOR_FILE=file)
    sentrial.configure(otlp_endpoint=writer.http_url, flush_interval=0.05)
    session_id = support_session(1, failed=True)
    assert sentrial.flush(10)
    writer.stop()  # writes what it holds
    written = spans_in_file(file)
    with SentrialStandIn([KEY]) as direct:
        given = {"SENTRIAL_API_KEY": KEY, "SENTRIAL_API_URL": direct.url}
        assert printed("sessions", "send", "--file", file, **given).startswith(f"sent {len(written)} spans to Sentrial")
        assert in_order(direct.spans) == in_order(written)
    assert printed("sessions", "send", "--file", file, "--to", "store", "--store", store) == (
        f"sent {len(written)} spans to local store\n"
    )
    assert (
        printed("sessions", "list", "--status", "failed", "--store", store).splitlines()[1].startswith(session_id[:8])
    )
