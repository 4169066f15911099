"""A finished span as the store takes it, and as bytes between the encoder and the sender."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What an attribute holds: a string, boolean, integer, float or None, or a tuple or mapping of such.
Value = Any
Attributes = Mapping[str, Value]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened during the span, at ``time_ns`` (Unix time, nanoseconds)."""

    name: str
    time_ns: int
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpanLink:
    """Another span this one points to; ids in hex."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One span. Ids in hex, times in nanoseconds of Unix time, ``kind`` and ``status`` by OpenTelemetry's names."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    start_ns: int
    end_ns: int
    kind: str = "INTERNAL"
    status: str = "UNSET"
    status_message: str | None = None
    attributes: Attributes = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    scope_name: str = ""
    scope_version: str = ""
    resource: Attributes = field(default_factory=dict)


_PLAIN_FIELDS = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "start_ns",
    "end_ns",
    "kind",
    "status",
    "status_message",
    "attributes",
)


def dump_rows(rows: Sequence[SpanRow]) -> bytes:
    """The rows as JSON; each distinct resource once.

    Half of a surrogate pair, which no encoding of Unicode can hold, becomes ``?``.
    """
    resources: dict[str, int] = {}
    spans = []
    for row in rows:
        resource = resources.setdefault(_json(row.resource), len(resources))
        spans.append(
            [
                *(getattr(row, name) for name in _PLAIN_FIELDS),
                [[event.name, event.time_ns, event.attributes] for event in row.events],
                [[link.trace_id, link.span_id, link.attributes] for link in row.links],
                row.scope_name,
                row.scope_version,
                resource,
            ]
        )
    body = _json({"format": _FORMAT, "resources": [json.loads(each) for each in resources], "spans": spans})
    return body.encode("utf-8", "replace")


def load_rows(body: bytes) -> list[SpanRow]:
    """The rows that :func:`dump_rows` wrote.

    Raises:
        ValueError: the bytes are something else, or of another version's making.
    """
    batch = json.loads(body)
    if not isinstance(batch, dict) or batch.get("format") != _FORMAT:
        raise ValueError("not a batch of spans in the format of this version")
    resources = batch["resources"]
    return [_load_row(fields, resources) for fields in batch["spans"]]


def _load_row(fields: list[Any], resources: list[Attributes]) -> SpanRow:
    plain = dict(zip(_PLAIN_FIELDS, fields, strict=False))
    events, links, scope_name, scope_version, resource = fields[len(_PLAIN_FIELDS) :]
    return SpanRow(
        **plain,
        events=tuple(SpanEvent(*event) for event in events),
        links=tuple(SpanLink(*link) for link in links),
        scope_name=scope_name,
        scope_version=scope_version,
        resource=resources[resource],
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
