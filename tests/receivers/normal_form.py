"""One form for spans, whichever way they came.

Stated normalisation: attributes that are null, or an empty list or map, count as absent (in JSON they cannot be sent,
since strict readers refuse them), and a number that is no finite one is its name as text.
"""

from __future__ import annotations

import base64
import math
from typing import Any


def spans_in(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The spans of an OTLP/JSON ExportTraceServiceRequest as plain dicts."""
    return [
        _span(raw, group.get("resource") or {}, scoped)
        for group in document.get("resourceSpans") or []
        for scoped in group.get("scopeSpans") or []
        for raw in scoped.get("spans") or []
    ]


def document_of(message: Any) -> dict[str, Any]:
    """A protobuf ExportTraceServiceRequest as OTLP/JSON: like protobuf's own JSON, but ids in hex."""
    from google.protobuf.json_format import MessageToDict

    document: dict[str, Any] = MessageToDict(message, use_integers_for_enums=True)
    for group in document.get("resourceSpans", []):
        for scoped in group.get("scopeSpans", []):
            for span in scoped.get("spans", []):
                for holder in (span, *span.get("links", [])):
                    for name in ("traceId", "spanId", "parentSpanId"):
                        if name in holder:
                            holder[name] = base64.b64decode(holder[name]).hex()
    return document


def _span(raw: dict[str, Any], resource: dict[str, Any], scoped: dict[str, Any]) -> dict[str, Any]:
    scope, status = scoped.get("scope") or {}, raw.get("status") or {}
    return {
        "name": raw.get("name", ""),
        "trace_id": raw["traceId"],
        "span_id": raw["spanId"],
        "parent_span_id": raw.get("parentSpanId") or None,
        "trace_state": raw.get("traceState", ""),
        "flags": raw.get("flags", 0),
        "kind": raw.get("kind", 0),
        "start_ns": int(raw.get("startTimeUnixNano", 0)),
        "end_ns": int(raw.get("endTimeUnixNano", 0)),
        "status_code": status.get("code", 0),
        "status_message": status.get("message", ""),
        "attributes": _attributes(raw),
        "events": [
            {
                "name": event.get("name", ""),
                "time_ns": int(event.get("timeUnixNano", 0)),
                "attributes": _attributes(event),
                "dropped_attributes": event.get("droppedAttributesCount", 0),
            }
            for event in raw.get("events") or []
        ],
        "links": [
            {
                "trace_id": link["traceId"],
                "span_id": link["spanId"],
                "flags": link.get("flags", 0),
                "attributes": _attributes(link),
                "dropped_attributes": link.get("droppedAttributesCount", 0),
            }
            for link in raw.get("links") or []
        ],
        "dropped_attributes": raw.get("droppedAttributesCount", 0),
        "dropped_events": raw.get("droppedEventsCount", 0),
        "dropped_links": raw.get("droppedLinksCount", 0),
        "resource": _attributes(resource),
        "scope_name": scope.get("name", ""),
        "scope_version": scope.get("version", ""),
        "scope_attributes": _attributes(scope),
        "scope_schema_url": scoped.get("schemaUrl", ""),
    }


def _attributes(holder: dict[str, Any]) -> dict[str, Any]:
    pairs = {pair["key"]: _value(pair.get("value") or {}) for pair in holder.get("attributes") or []}
    return {key: value for key, value in pairs.items() if value not in (None, [], {})}


def _value(any_value: dict[str, Any]) -> Any:
    if not any_value:
        return None
    ((kind, raw),) = any_value.items()
    if kind == "intValue":
        return int(raw)
    if kind == "doubleValue":
        number = float(raw)
        return number if math.isfinite(number) else "NaN" if math.isnan(number) else f"{'-' * (number < 0)}Infinity"
    if kind == "bytesValue":
        return base64.b64decode(raw)
    if kind == "arrayValue":
        return [value for value in map(_value, raw.get("values") or []) if value not in (None, [], {})]
    if kind == "kvlistValue":
        return _attributes({"attributes": raw.get("values")})
    assert kind in ("stringValue", "boolValue"), f"no such kind of value: {kind}"
    return raw
