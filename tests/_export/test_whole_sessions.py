"""What Sentrial gets of recorded sessions is what it gets of live ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import sentrial
from fixed_spans.rows import SESSION, TOOL, root, row, session_id, trace_id
from receivers import SentrialStandIn
from receivers.normal_form import spans_in
from sentrial import semconv as s
from sentrial._export.encode_json import encode_json
from sentrial._export.stored_span import build_spans
from sentrial._export.whole_sessions import WholeSessions
from sentrial._session import parse_id, trace_id_apart
from sentrial._store.connection import open_for_reading
from sentrial._store.read import list_sessions, read_spans
from sentrial._store.span_row import SpanLink, SpanRow


def for_sentrial(rows: list[SpanRow], *, share_traces: bool = False) -> list[SpanRow]:
    sessions = WholeSessions(share_traces=share_traces)
    sessions.learn(rows)
    return list(sessions.for_sentrial(rows))


def test_a_usual_session_stays_as_it_is() -> None:
    rows = [row(1, 3, TOOL, parent=2), row(1, 2, TOOL), root(1), row(2, 5, SESSION), root(2)]
    assert for_sentrial(rows) == rows


def test_what_hangs_on_a_span_of_others_hangs_on_the_root() -> None:
    rows = [row(1, 3, TOOL, parent=77), row(1, 2, TOOL, parent=None), root(1)]
    assert [span.parent_span_id for span in for_sentrial(rows)] == [f"{1:016x}", f"{1:016x}", None]


def test_a_session_inside_a_trace_of_others_gets_a_trace_of_its_own() -> None:
    context = parse_id(session_id(1))
    assert context is not None
    apart = f"{trace_id_apart(context):032x}"
    link = SpanLink(trace_id(1), f"{2:016x}", {"k": 1})
    stranger = SpanLink(trace_id(1), f"{99:016x}")
    rows = [
        row(1, 2, TOOL),
        replace(row(1, 3, TOOL, parent=2), links=(link, stranger)),
        replace(root(1), parent_span_id=f"{99:016x}"),
    ]
    call, tool, own = for_sentrial(rows)
    assert {call.trace_id, tool.trace_id, own.trace_id} == {apart}
    assert [call.parent_span_id, tool.parent_span_id, own.parent_span_id] == [f"{1:016x}", f"{2:016x}", None]
    assert tool.links == (replace(link, trace_id=apart), stranger)
    assert for_sentrial([root(1)], share_traces=True)[0].trace_id == apart


def test_what_belongs_to_no_session_of_ours_stays_as_it_is() -> None:
    other = replace(row(1, 4, TOOL, parent=55), attributes={s.SENTRIAL_SESSION_ID: "an id of somebody's own"})
    rows = [row(1, 2, None, parent=55, session=False), other]
    assert for_sentrial(rows) == rows


@pytest.mark.parametrize("parent", ["root", "inherit"])
def test_sent_later_it_is_what_was_sent_at_once(tmp_path: Path, parent: str) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    trace.set_tracer_provider(provider)
    with SentrialStandIn() as server:
        sentrial.configure(
            api_key="sentrial_test_key", api_url=server.url, store=str(tmp_path / "s.db"), session_parent=parent
        )
        tracer = trace.get_tracer("web")
        with tracer.start_as_current_span("GET /"):
            session = sentrial.begin("u", "agent", input="hello")
            with session.tool("t", {"a": 1}), tracer.start_as_current_span("SELECT"):
                session.track_decision("because", ["a", "b"])
            session.finish(output="bye")
        assert sentrial.flush(10)
        live = server.spans
        sentrial.shutdown()
    connection = open_for_reading(tmp_path / "s.db")
    (stored,) = list_sessions(connection)
    rows = for_sentrial(read_spans(connection, stored.session_id), share_traces=parent == "inherit")
    connection.close()
    again = spans_in(json.loads(encode_json(build_spans(rows))))
    assert sorted(again, key=lambda span: str(span["span_id"])) == sorted(live, key=lambda span: str(span["span_id"]))
    assert len(again) == 4
