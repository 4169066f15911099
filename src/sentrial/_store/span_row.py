"""A span as the store takes it, and as bytes between the encoder and the sender."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What an attribute holds: a string, boolean, integer, float, bytes or None, or a tuple or mapping of such.
Value = Any
Attributes = Mapping[str, Value]

_FORMAT = 2
# JSON has no bytes: they stand as a mapping of this one key, which nobody gives an attribute, to their base64.
_BYTES = "\0base64"


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened during the span, at ``time_ns`` (Unix time, nanoseconds)."""

    name: str
    time_ns: int
    attributes: Attributes = field(default_factory=dict)
    dropped_attributes: int = 0


@dataclass(frozen=True, slots=True)
class SpanLink:
    """Another span this one points to; ids in hex."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)
    dropped_attributes: int = 0
    trace_state: str = ""
    is_remote: bool = False


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One span. Ids in hex, times in nanoseconds of Unix time, ``kind`` and ``status`` by OpenTelemetry's names.

    ``dropped``: how many attributes, events and links were left out for OpenTelemetry's limits. ``is_open``: it has
    begun and not ended; of such a span only what its start has said is kept, and only if it is a session's own.
    """

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
    scope_attributes: Attributes = field(default_factory=dict)
    scope_schema_url: str = ""
    resource_schema_url: str = ""
    trace_state: str = ""
    has_remote_parent: bool = False
    dropped: tuple[int, int, int] = (0, 0, 0)
    is_open: bool = False


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
    "scope_name",
    "scope_version",
    "scope_attributes",
    "scope_schema_url",
    "resource_schema_url",
    "trace_state",
    "has_remote_parent",
    "dropped",
    "is_open",
)
_EVENT_FIELDS = ("name", "time_ns", "attributes", "dropped_attributes")
_LINK_FIELDS = ("trace_id", "span_id", "attributes", "dropped_attributes", "trace_state", "is_remote")


def dump_rows(rows: Sequence[SpanRow]) -> bytes:
    """The rows as JSON; each distinct resource once.

    Half of a surrogate pair, which no encoding of Unicode can hold, becomes ``?``.
    """
    resources: dict[str, int] = {}
    spans = []
    for row in rows:
        resource = resources.setdefault(to_json(row.resource), len(resources))
        spans.append(
            [
                *(getattr(row, name) for name in _PLAIN_FIELDS),
                [[getattr(event, name) for name in _EVENT_FIELDS] for event in row.events],
                [[getattr(link, name) for name in _LINK_FIELDS] for link in row.links],
                resource,
            ]
        )
    body = to_json({"format": _FORMAT, "resources": [json.loads(each) for each in resources], "spans": spans})
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
    plain["dropped"] = tuple(plain["dropped"])
    events, links, resource = fields[len(_PLAIN_FIELDS) :]
    return SpanRow(
        **plain,
        events=tuple(SpanEvent(*event) for event in events),
        links=tuple(SpanLink(*link) for link in links),
        resource=resources[resource],
    )


def to_json(value: object) -> str:
    """``value`` as the store keeps it: JSON, with bytes in a form of our own."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_as_json)


def from_json(value: Value) -> Value:
    """A parsed value as it was before :func:`to_json`: lists become tuples."""
    if isinstance(value, list):
        return tuple(map(from_json, value))
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get(_BYTES), str):
            try:
                return base64.b64decode(value[_BYTES], validate=True)
            except binascii.Error:
                return value
        return {key: from_json(inner) for key, inner in value.items()}
    return value


def is_bytes(value: Value) -> bool:
    """Whether a parsed value stands for bytes."""
    return isinstance(value, dict) and _BYTES in value


def _as_json(value: object) -> dict[str, str]:
    if isinstance(value, (bytes, bytearray)):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    raise TypeError(f"no value of an attribute: {type(value).__name__}")
