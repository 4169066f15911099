"""Datadog, as ``ddtrace-run`` sets it up, OpenTelemetry included: its own provider, and its own context.

What it sends is noted on its way to the agent.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

os.environ.update(
    DD_TRACE_OTEL_ENABLED="true",
    DD_TRACE_AGENT_URL=os.environ["PEER_URL"],
    DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
    DD_REMOTE_CONFIGURATION_ENABLED="false",
    DD_SERVICE="shop",
)

import ddtrace.auto  # noqa: F401 - it reads the variables when it is imported
from ddtrace.trace import TraceFilter, tracer

_seen: list[dict[str, Any]] = []


class Seen(TraceFilter):  # type: ignore[misc]  # not installed where this is checked
    """Notes what goes by."""

    def process_trace(self, trace: Any) -> Any:
        _seen.extend(
            {
                "name": span.resource,
                "trace_id": f"{span.trace_id:032x}",
                "span_id": f"{span.span_id:016x}",
                "parent_span_id": f"{span.parent_id:016x}" if span.parent_id else None,
                "attributes": {},
            }
            for span in trace
        )
        return trace


def start() -> None:
    tracer.configure(trace_processors=[Seen()])


def own() -> AbstractContextManager[object]:
    span: AbstractContextManager[object] = tracer.trace("own", resource="own of datadog")
    return span


def finish() -> None:
    tracer.shutdown()


def seen() -> list[dict[str, Any]]:
    """The spans that went to the agent."""
    return _seen
