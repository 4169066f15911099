"""Traceloop's SDK, which brings OpenLLMetry's instrumentation of the OpenAI client along."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace
from traceloop.sdk import Traceloop


def start() -> None:
    Traceloop.init(
        app_name="shop",
        api_endpoint=os.environ["PEER_URL"],
        api_key="local",
        telemetry_enabled=False,
        traceloop_sync_enabled=False,
    )


def own() -> AbstractContextManager[object]:
    return nullcontext()


def finish() -> None:
    trace.get_tracer_provider().shutdown()  # type: ignore[attr-defined]  # the API has no such method
