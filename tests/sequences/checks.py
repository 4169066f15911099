"""What has to hold of the spans of any program whatever."""

from __future__ import annotations

from collections import Counter
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from sequences.world import Seen, World

SESSION = "sentrial.session.id"
TYPE = "sentrial.event.type"


def check(world: World, seen: Seen, arrived: list[dict[str, Any]]) -> None:
    """Of ``seen``, the application's own exporter, and of ``arrived``, what Sentrial has got."""
    by_id = {span.context.span_id: span for span in seen.ended}
    ended = Counter((span.context.trace_id, span.context.span_id) for span in seen.ended)
    assert ended == Counter(seen.started)
    assert set(ended.values()) <= {1}
    for span in seen.ended:
        _check_parent(span, by_id)
        _check_session(span, world)
    for session_id, user in world.users.items():
        _check_whole(
            session_id, user, [span for span in seen.ended if (span.attributes or {}).get(SESSION) == session_id]
        )
    _check_arrived(arrived, [span for span in seen.ended if SESSION in (span.attributes or {})])


def _check_parent(span: ReadableSpan, by_id: dict[int, ReadableSpan]) -> None:
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time >= span.start_time
    above, met = span, {span.context.span_id}
    while above.parent is not None:
        parent = by_id[above.parent.span_id]
        assert parent.context.trace_id == above.context.trace_id, f"{above.name} has a parent in another trace"
        assert parent.start_time is not None
        assert above.start_time is not None
        assert above.start_time >= parent.start_time, f"{above.name} starts before its parent"
        assert parent.context.span_id not in met, "a ring of parents"
        met.add(parent.context.span_id)
        above = parent


def _check_session(span: ReadableSpan, world: World) -> None:
    attributes = dict(span.attributes or {})
    session_id = attributes.get(SESSION)
    if span.context.span_id in world.owners:
        assert session_id == world.owners[span.context.span_id], f"{span.name} says it is another session's"
    if session_id is None:
        assert TYPE not in attributes, f"{span.name} is ours and in no session"
        return
    assert attributes.get("user.id") == world.users[session_id], f"{span.name} says it is another user's"
    assert f"{span.context.trace_id:032x}" == session_id.split("-")[0], f"{span.name} is in another trace"


def _check_whole(session_id: str, user: str | None, spans: list[ReadableSpan]) -> None:
    roots = [span for span in spans if f"{span.context.trace_id:032x}-{span.context.span_id:016x}" == session_id]
    assert [root.parent for root in roots] == [None], f"{session_id} has no root"
    for span in spans:
        attributes = span.attributes or {}
        if attributes.get(TYPE) == "session":
            assert attributes["sentrial.session.outcome"] in {
                "completed", "failed", "cancelled", "abandoned", "continued",
            }  # fmt: skip
        else:
            assert "sentrial.session.outcome" not in attributes
        assert span is roots[0] or span.parent is not None, f"{span.name} hangs on nothing"


def _check_arrived(arrived: list[dict[str, Any]], sent: list[ReadableSpan]) -> None:
    got, due = Counter(span["span_id"] for span in arrived), Counter(f"{span.context.span_id:016x}" for span in sent)
    assert (got - due, due - got) == (Counter(), Counter()), (arrived, sent)
    ids = {span["span_id"] for span in arrived}
    sessions: dict[str, set[str]] = {}
    for span in arrived:
        sessions.setdefault(span["trace_id"], set()).add(span["attributes"][SESSION])
        assert span["parent_span_id"] is None or span["parent_span_id"] in ids, f"{span['name']} has lost its parent"
    assert all(len(each) == 1 for each in sessions.values()), "Sentrial makes one session of one trace"
