"""A span of OpenTelemetry as a row of the local store, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from opentelemetry.trace import format_span_id as span_id
from opentelemetry.trace import format_trace_id as trace_id

from sentrial._store.span_row import Attributes, SpanEvent, SpanLink, SpanRow, Value, to_json

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


def read_span(span: ReadableSpan, context: SpanContext) -> SpanRow:
    """``span``, whose context is ``context``, as a row. One that has not ended is an open row."""
    scope = span.instrumentation_scope
    start_ns = span.start_time or 0
    return SpanRow(
        trace_id=trace_id(context.trace_id),
        span_id=span_id(context.span_id),
        parent_span_id=span_id(span.parent.span_id) if span.parent is not None else None,
        name=span.name,
        start_ns=start_ns,
        end_ns=start_ns if span.end_time is None else span.end_time,
        kind=span.kind.name,
        status=span.status.status_code.name,
        status_message=span.status.description,
        attributes=_plain_map(span.attributes),
        events=tuple(
            SpanEvent(each.name, each.timestamp, _plain_map(each.attributes), each.dropped_attributes)
            for each in span.events
        ),
        links=tuple(
            SpanLink(
                trace_id(each.context.trace_id),
                span_id(each.context.span_id),
                _plain_map(each.attributes),
                each.dropped_attributes,
                each.context.trace_state.to_header(),
                each.context.is_remote,
            )
            for each in span.links
        ),
        scope_name=scope.name if scope is not None else "",
        scope_version=(scope.version or "") if scope is not None else "",
        scope_attributes=_plain_map(scope.attributes) if scope is not None else {},
        scope_schema_url=(scope.schema_url or "") if scope is not None else "",
        resource=_plain_map(span.resource.attributes),
        resource_schema_url=span.resource.schema_url or "",
        trace_state=context.trace_state.to_header(),
        has_remote_parent=span.parent is not None and span.parent.is_remote,
        dropped=(span.dropped_attributes, span.dropped_events, span.dropped_links),
        is_open=span.end_time is None,
    )


def build_spans(rows: Iterable[SpanRow]) -> list[ReadableSpan]:
    """``rows`` as spans that any encoder takes; those of one resource and scope share them."""
    resources: dict[tuple[str, str], Resource] = {}
    scopes: dict[tuple[str, str, str, str], InstrumentationScope] = {}
    spans = []
    for row in rows:
        of_resource = (to_json(row.resource), row.resource_schema_url)
        if of_resource not in resources:
            resources[of_resource] = Resource(dict(row.resource), row.resource_schema_url or None)
        of_scope = (row.scope_name, row.scope_version, to_json(row.scope_attributes), row.scope_schema_url)
        if of_scope not in scopes:
            scopes[of_scope] = InstrumentationScope(
                row.scope_name, row.scope_version or None, row.scope_schema_url or None, dict(row.scope_attributes)
            )
        spans.append(_Stored(row, resources[of_resource], scopes[of_scope]))
    return cast("list[ReadableSpan]", spans)


@dataclass(frozen=True)
class _Event:
    name: str
    timestamp: int
    attributes: Attributes
    dropped_attributes: int


@dataclass(frozen=True)
class _Link:
    context: SpanContext
    attributes: Attributes
    dropped_attributes: int


class _Stored(ReadableSpan):
    """The SDK's own class takes no counts of what was dropped, and would look through all attributes once more."""

    def __init__(self, row: SpanRow, resource: Resource, scope: InstrumentationScope) -> None:
        trace = int(row.trace_id, 16)
        parent = None
        if row.parent_span_id is not None:
            parent = SpanContext(trace, int(row.parent_span_id, 16), row.has_remote_parent, _SAMPLED)
        status = StatusCode[row.status] if row.status in StatusCode.__members__ else StatusCode.UNSET
        super().__init__(
            row.name,
            SpanContext(trace, int(row.span_id, 16), False, _SAMPLED, _state(row.trace_state)),
            parent,
            resource,
            row.attributes,
            cast("Any", tuple(_Event(e.name, e.time_ns, e.attributes, e.dropped_attributes) for e in row.events)),
            cast("Any", tuple(_Link(_target(e), e.attributes, e.dropped_attributes) for e in row.links)),
            SpanKind[row.kind] if row.kind in SpanKind.__members__ else SpanKind.INTERNAL,
            status=Status(status, row.status_message if status is StatusCode.ERROR else None),
            start_time=row.start_ns,
            end_time=row.end_ns,
            instrumentation_scope=scope,
        )
        self._dropped = row.dropped

    @property
    def dropped_attributes(self) -> int:
        return self._dropped[0]

    @property
    def dropped_events(self) -> int:
        return self._dropped[1]

    @property
    def dropped_links(self) -> int:
        return self._dropped[2]


def _target(link: SpanLink) -> SpanContext:
    state = _state(link.trace_state)
    return SpanContext(int(link.trace_id, 16), int(link.span_id, 16), link.is_remote, _SAMPLED, state)


def _state(header: str) -> TraceState | None:
    return TraceState.from_header([header]) if header else None


def _plain_map(attributes: Mapping[str, Any] | None) -> dict[str, Value]:
    return {str(key): _plain(value) for key, value in (attributes or {}).items()}


def _plain(value: Any) -> Value:
    """``value`` as the store can hold it; numbers that are none become strings, as in our OTLP/JSON."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, Mapping):
        return _plain_map(value)
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    return str(value)


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
