"""Sentry's SDK with its integration of OpenTelemetry (OTLP), and a transaction of its own kind around everything.

What such a transaction holds is noted on its way out.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

import sentry_sdk
from opentelemetry import trace
from sentry_sdk.integrations.otlp import OTLPIntegration

_seen: list[dict[str, Any]] = []
_transaction: Any = None


def note(event: Any, _hint: Any) -> Any:
    said = [event["transaction"], *(span["description"] for span in event["spans"])]
    said += [crumb["data"]["url"] for crumb in event.get("breadcrumbs", {}).get("values", ()) if "data" in crumb]
    # Ports differ from run to run.
    _seen.extend({"name": "sentry: " + name.replace(os.environ["MODEL_URL"], "MODEL_URL")} for name in said)
    return event


def start() -> None:
    global _transaction
    host = os.environ["PEER_URL"].removeprefix("http://")
    sentry_sdk.init(
        dsn=f"http://public@{host}/7",
        integrations=[OTLPIntegration()],
        traces_sample_rate=1.0,
        before_send_transaction=note,
    )
    # Around all that follows: what sentrial's threads do must not end up in there.
    _transaction = sentry_sdk.start_transaction(name="the program")
    _transaction.__enter__()


def own() -> AbstractContextManager[object]:
    return sentry_sdk.start_span(name="own of sentry")


def finish() -> None:
    _transaction.__exit__(None, None, None)
    sentry_sdk.flush(5)
    trace.get_tracer_provider().shutdown()  # type: ignore[attr-defined]  # the API has no such method


def seen() -> list[dict[str, Any]]:
    """What the transaction holds: its spans, and the addresses that were called meanwhile."""
    return _seen
