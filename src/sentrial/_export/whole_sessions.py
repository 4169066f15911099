"""What Sentrial gets of recorded sessions: as of live ones, each a trace of its own without dangling parents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from sentrial import semconv
from sentrial._session import parse_id, trace_id_apart
from sentrial._store.span_row import SpanLink, SpanRow


@dataclass(slots=True)
class _Known:
    """A session's spans, as numbers; and the trace that it is at Sentrial, where that is another than its own."""

    root: str
    trace_id: str
    members: set[int] = field(default_factory=set)
    apart: str | None = None


class WholeSessions:
    """Learns first who belongs to whom, since spans stand in any order; then says what Sentrial gets.

    ``share_traces``: whether sessions were opened inside traces of others (``SENTRIAL_SESSION_PARENT=inherit``), also
    where they do not show it.
    """

    def __init__(self, *, share_traces: bool = False) -> None:
        self._share_traces = share_traces
        self._sessions: dict[str, _Known] = {}

    def learn(self, rows: Iterable[SpanRow]) -> None:
        """Take notice of ``rows``."""
        for row in rows:
            known = self._known(row)
            if known is None:
                continue
            known.members.add(int(row.span_id, 16))
            is_root = (row.trace_id, row.span_id) == (known.trace_id, known.root)
            if is_root and (row.parent_span_id is not None or self._share_traces):
                context = parse_id(f"{known.trace_id}-{known.root}")
                known.apart = None if context is None else f"{trace_id_apart(context):032x}"

    def for_sentrial(self, rows: Iterable[SpanRow]) -> Iterator[SpanRow]:
        """``rows`` as events of their sessions' own traces; what belongs to no session is as it is."""
        for row in rows:
            known = self._known(row)
            yield row if known is None else _moved(row, known)

    def _known(self, row: SpanRow) -> _Known | None:
        session_id = row.attributes.get(semconv.SENTRIAL_SESSION_ID)
        if not isinstance(session_id, str):
            return None
        if session_id not in self._sessions:
            if parse_id(session_id) is None:
                return None
            trace_id, _, root = session_id.partition("-")
            self._sessions[session_id] = _Known(root, trace_id)
        return self._sessions[session_id]


def _moved(row: SpanRow, known: _Known) -> SpanRow:
    parent = row.parent_span_id
    if (row.trace_id, row.span_id) == (known.trace_id, known.root):
        parent = None
    elif parent is None or int(parent, 16) not in known.members:
        parent = known.root
    trace_id = known.apart or row.trace_id
    if (parent, trace_id) == (row.parent_span_id, row.trace_id):
        return row
    links = tuple(_moved_link(link, known) for link in row.links)
    return replace(row, trace_id=trace_id, parent_span_id=parent, links=links)


def _moved_link(link: SpanLink, known: _Known) -> SpanLink:
    if known.apart is None or link.trace_id != known.trace_id or int(link.span_id, 16) not in known.members:
        return link
    return replace(link, trace_id=known.apart)
