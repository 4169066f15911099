"""Where the spans of a benchmark go: nowhere, or to a sink in a process of its own that keeps nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PACES = ("quiet", "sending")
"""Quiet: what is queued is thrown away. Sending: it is delivered to the sink."""


CLOCKS = {"wall": time.perf_counter, "cpu": time.thread_time}
"""Wall: all that passes. Cpu: what the user's thread itself works, on a machine that has other things to do."""


def make_provider(pace: str, sink: str, counted: list[int] | None = None) -> Any:
    """A tracer provider that sentrial never sees. ``counted``: its first item becomes how many spans have ended."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Muted(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    class Counting(SpanProcessor):
        def on_end(self, span: Any) -> None:
            assert counted is not None
            counted[0] += 1

    provider = TracerProvider()
    provider.add_span_processor(
        BatchSpanProcessor(Muted() if pace == "quiet" else OTLPSpanExporter(f"{sink}/v1/traces"))
    )
    if counted is not None:
        provider.add_span_processor(Counting())
    return provider


def mute() -> None:
    """Throw away what reaches our queue: what a muted exporter is to its batch processor."""
    from sentrial._export.queue import Outlet

    def throw_away(_self: Outlet, _batch: Any, _weight: int, destination: Any) -> Any:
        return destination

    assert callable(Outlet._deliver)
    Outlet._deliver = throw_away


def environment(**more: str) -> dict[str, str]:
    """The variables for the processes of a benchmark: nothing of OpenTelemetry's or ours from outside."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("SENTRIAL_", "OTEL_"))} | more


@contextmanager
def sink() -> Iterator[str]:
    """The address of a sink, while it runs."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def _serve() -> None:
    class Sink(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve()
