"""Phoenix: ``phoenix.otel.register``."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace
from phoenix.otel import register


def start() -> None:
    register(endpoint=f"{os.environ['PEER_URL']}/v1/traces", project_name="shop", batch=True, verbose=False)


def own() -> AbstractContextManager[object]:
    return nullcontext()


def finish() -> None:
    trace.get_tracer_provider().shutdown()  # type: ignore[attr-defined]  # the API has no such method
