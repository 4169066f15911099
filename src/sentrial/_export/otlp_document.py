"""An OTLP/JSON ExportTraceServiceRequest of anybody's as rows, or a word about what is wrong in it, and where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from sentrial._export.otlp_value import (
    UINT32,
    UINT64,
    WrongError,
    read_attributes,
    read_each,
    read_enum,
    read_field,
    read_id,
    read_object,
    read_text,
    read_whole,
    shown,
    wrong,
)
from sentrial._store.span_row import SpanEvent, SpanLink, SpanRow

UNNAMED = "unknown"
"""The name of a span without one: the protocol calls an empty name an unknown one, and Sentrial refuses it."""

_KINDS = tuple(f"SPAN_KIND_{name}" for name in ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
_CODES = tuple(f"STATUS_CODE_{name}" for name in ("UNSET", "OK", "ERROR"))
_IS_REMOTE = 0x200
_LONGEST_NUMBER = 40

_read_kind, _read_code = read_enum(_KINDS), read_enum(_CODES)
_read_trace_id, _read_span_id = read_id(32), read_id(16)
_read_time, _read_count = read_whole(UINT64), read_whole(UINT32)


def read_document(text: str) -> list[SpanRow]:
    """The spans of one document.

    Raises:
        json.JSONDecodeError: it is no JSON.
        WrongError: it is JSON, but no OTLP/JSON traces.
    """
    try:
        document = json.loads(text, parse_int=_whole, parse_constant=_no_constant)
    except RecursionError:
        raise WrongError("is nested too deeply") from None
    return list(_spans(document))


def _spans(document: object) -> Iterator[SpanRow]:
    if not isinstance(document, dict):
        raise wrong("an object with resourceSpans", document)
    if document and "resourceSpans" not in document:
        raise WrongError(_not_traces(document))
    for group in read_each(document, "resourceSpans", _resource_spans):
        yield from group


def _not_traces(document: dict[str, Any]) -> str:
    for key, what in (("resourceLogs", "logs"), ("resourceMetrics", "metrics"), ("resourceProfiles", "profiles")):
        if key in document:
            return f"holds {what}, and no traces"
    if "resource_spans" in document:
        return "says resource_spans where OTLP/JSON says resourceSpans"
    return f"has no resourceSpans, but {', '.join(shown(key) for key in list(document)[:3])}"


def _resource_spans(item: object) -> list[SpanRow]:
    group = read_object(item)
    resource = {
        "resource": read_field(group, "resource", lambda value: read_attributes(read_object(value))),
        "resource_schema_url": read_field(group, "schemaUrl", read_text),
    }

    def scope_spans(item: object) -> list[SpanRow]:
        scoped = read_object(item)
        shared = {**resource, **read_field(scoped, "scope", _scope)}
        shared["scope_schema_url"] = read_field(scoped, "schemaUrl", read_text)
        return read_each(scoped, "spans", lambda span: _span(span, shared))

    return [span for spans in read_each(group, "scopeSpans", scope_spans) for span in spans]


def _scope(value: object) -> dict[str, Any]:
    scope = read_object(value)
    return {
        "scope_name": read_field(scope, "name", read_text),
        "scope_version": read_field(scope, "version", read_text),
        "scope_attributes": read_attributes(scope),
    }


def _span(item: object, shared: dict[str, Any]) -> SpanRow:
    span = read_object(item)
    start_ns = read_field(span, "startTimeUnixNano", _read_time)
    status = read_field(span, "status", read_object)
    code = _inside("status", lambda: read_field(status, "code", _read_code)).removeprefix("STATUS_CODE_")
    message = _inside("status", lambda: read_field(status, "message", read_text))
    parent = read_field(span, "parentSpanId", lambda value: None if value in (None, "") else _read_span_id(value))
    return SpanRow(
        trace_id=read_field(span, "traceId", _read_trace_id),
        span_id=read_field(span, "spanId", _read_span_id),
        parent_span_id=parent,
        name=read_field(span, "name", read_text) or UNNAMED,
        start_ns=start_ns,
        end_ns=read_field(span, "endTimeUnixNano", _read_time) or start_ns,
        kind=read_field(span, "kind", _read_kind).removeprefix("SPAN_KIND_"),
        status=code,
        status_message=message or None,
        attributes=read_attributes(span),
        events=tuple(read_each(span, "events", _event)),
        links=tuple(read_each(span, "links", _link)),
        trace_state=read_field(span, "traceState", read_text),
        has_remote_parent=bool(read_field(span, "flags", _read_count) & _IS_REMOTE) and parent is not None,
        dropped=(
            read_field(span, "droppedAttributesCount", _read_count),
            read_field(span, "droppedEventsCount", _read_count),
            read_field(span, "droppedLinksCount", _read_count),
        ),
        **shared,
    )


def _event(item: object) -> SpanEvent:
    event = read_object(item)
    return SpanEvent(
        read_field(event, "name", read_text) or UNNAMED,
        read_field(event, "timeUnixNano", _read_time),
        read_attributes(event),
        read_field(event, "droppedAttributesCount", _read_count),
    )


def _link(item: object) -> SpanLink:
    link = read_object(item)
    return SpanLink(
        read_field(link, "traceId", _read_trace_id),
        read_field(link, "spanId", _read_span_id),
        read_attributes(link),
        read_field(link, "droppedAttributesCount", _read_count),
        read_field(link, "traceState", read_text),
        bool(read_field(link, "flags", _read_count) & _IS_REMOTE),
    )


def _inside(place: str, read: Any) -> Any:
    try:
        return read()
    except WrongError as error:
        raise error.inside(place) from None


def _whole(digits: str) -> int:
    # Python takes quadratic time for a number of a million digits.
    if len(digits) > _LONGEST_NUMBER:
        raise WrongError(f"holds a number of {len(digits):,} digits")
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise WrongError(f"holds {name}, which is no JSON")
