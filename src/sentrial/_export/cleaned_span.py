"""A span without the values that protobuf cannot carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.trace import Status

from sentrial._export.text import is_encodable, printable, repaired

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind

_INT64 = range(-(2**63), 2**63)


def cleaned(span: ReadableSpan) -> ReadableSpan:
    """``span`` itself where every value can be sent, else a copy of it with those that cannot replaced.

    Text that is no Unicode gets U+FFFD for what is wrong, integers beyond 64 bits become text, nulls are left out,
    and values of types that OTLP has no word for become their ``str()``.
    """
    return span if _is_sound(span) else cast("ReadableSpan", _copy(span))


@dataclass(frozen=True)
class _Event:
    name: str
    timestamp: int
    attributes: Mapping[str, Any]
    dropped_attributes: int


@dataclass(frozen=True)
class _Link:
    context: SpanContext
    attributes: Mapping[str, Any]
    dropped_attributes: int


@dataclass(frozen=True)
class _Span:
    """What encoders read of a span. The SDK's own class cannot be given counts of what was dropped."""

    name: str
    context: SpanContext | None
    parent: SpanContext | None
    resource: Resource
    instrumentation_scope: InstrumentationScope | None
    kind: SpanKind
    status: Status
    start_time: int | None
    end_time: int | None
    attributes: Mapping[str, Any]
    events: Sequence[_Event]
    links: Sequence[_Link]
    dropped_attributes: int
    dropped_events: int
    dropped_links: int

    def get_span_context(self) -> SpanContext | None:
        return self.context


def _copy(span: ReadableSpan) -> _Span:
    description = span.status.description
    return _Span(
        name=_text(span.name),
        context=span.get_span_context(),
        parent=span.parent,
        resource=_resource(span.resource),
        instrumentation_scope=span.instrumentation_scope,
        kind=span.kind,
        status=Status(span.status.status_code, _text(description)) if description else span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        attributes=_clean(span.attributes or {}),
        events=[
            _Event(_text(event.name), event.timestamp, _clean(event.attributes or {}), event.dropped_attributes)
            for event in span.events
        ],
        links=[_Link(link.context, _clean(link.attributes or {}), link.dropped_attributes) for link in span.links],
        dropped_attributes=span.dropped_attributes,
        dropped_events=span.dropped_events,
        dropped_links=span.dropped_links,
    )


def _resource(resource: Resource) -> Resource:
    if _is_sound_value(resource.attributes):
        return resource
    return type(resource)(_clean(resource.attributes), resource.schema_url)


def _is_sound(span: ReadableSpan) -> bool:
    return (
        is_encodable(span.name)
        and _is_sound_value(span.attributes)
        and (not span.status.description or is_encodable(span.status.description))
        and all(is_encodable(event.name) and _is_sound_value(event.attributes or {}) for event in span.events)
        and all(_is_sound_value(link.attributes or {}) for link in span.links)
        and _is_sound_value(span.resource.attributes)
    )


def _is_sound_value(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return is_encodable(value)
    if kind is int:
        return value in _INT64
    if kind is bool or kind is float or kind is bytes:
        return True
    if kind is tuple or kind is list:
        return all(map(_is_sound_value, value))
    if isinstance(value, Mapping):
        copy = getattr(value, "copy", None)
        plain: Mapping[Any, Any] = copy() if copy is not None else value
        return all(type(key) is str and is_encodable(key) and _is_sound_value(item) for key, item in plain.items())
    return False


def _clean(value: Any) -> Any:
    """``value`` as OTLP can say it; None where it has nothing to say."""
    if value is None or isinstance(value, (bool, float, bytes)):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return int(value) if value in _INT64 else str(value)
    if isinstance(value, Mapping):
        pairs = ((_text(str(key)), _clean(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not None}
    if isinstance(value, Sequence):
        return [item for item in map(_clean, value) if item is not None]
    return _text(printable(value))


def _text(text: str) -> str:
    return text if is_encodable(text) else repaired(text)
