"""One span that has ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from sentrial import _payload


@dataclass(frozen=True)
class Recorded:
    """``attributes``: with what our road adds. ``seen``: what every exporter of the provider sees."""

    span: ReadableSpan
    attributes: dict[str, Any]
    seen: dict[str, Any]

    @classmethod
    def ending(cls, span: ReadableSpan) -> Recorded:
        """``span``, while it ends: its payload is there only then."""
        seen = {key: _plain(value) for key, value in (span.attributes or {}).items()}
        payload = _payload.of(span.context.trace_id, span.context.span_id)
        return cls(span, {**seen, **(payload.attributes() if payload is not None else {})}, seen)

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Names and attributes of its events."""
        return [(event.name, dict(event.attributes or {})) for event in self.span.events]

    @property
    def status(self) -> tuple[str, str | None]:
        """Name and description of its status."""
        return self.span.status.status_code.name, self.span.status.description

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.span.end_time - self.span.start_time) / 1e9

    def json(self, key: str) -> Any:
        """The attribute ``key``, decoded."""
        return json.loads(self.attributes[key])

    def without(self, *prefixes: str) -> dict[str, Any]:
        """The attributes but those that begin with one of ``prefixes``."""
        return {key: value for key, value in self.attributes.items() if not key.startswith(prefixes)}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
