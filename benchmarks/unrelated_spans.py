"""What the spans that have nothing to do with an agent pay, in a TracerProvider that sentrial has joined.

    python benchmarks/unrelated_spans.py [--rounds N]

A service makes 1,000 HTTP and database spans a second; requests (a server span with a client span and two database
spans in it) that no session is in. Blocks of requests alternate in one process between two providers, each with a batch
processor and a muted exporter: one that sentrial has never seen, and the global one, which it has joined. A block of a
variant is compared with the plain block before it, and the median over these pairs is reported; ``plain`` against
itself shows the noise. sentrial's own threads throw away what they get.

* joined: sessions are on, none is open here. One is open elsewhere, as in a service that serves both.
* request: the same with ``SENTRIAL_AUTO_SESSION=request``, as under ``opentelemetry-instrument``: each request may
  become one.
* in a session: the same spans inside a session, where they are its own: stamped, queued and sent.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

REQUESTS_PER_BLOCK = 50
SPANS_PER_REQUEST = 4
SPANS_PER_SECOND = 1_000

SERVER = {
    "http.request.method": "POST", "url.scheme": "http", "url.path": "/orders", "http.route": "/orders",
    "server.address": "shop.test", "server.port": 443, "network.protocol.version": "1.1",
    "user_agent.original": "curl/8", "client.address": "10.0.0.9", "http.response.status_code": 200,
}  # fmt: skip
CLIENT = {
    "http.request.method": "GET", "url.full": "http://stock.test/items/7", "server.address": "stock.test",
    "server.port": 80, "http.response.status_code": 200, "network.protocol.version": "1.1",
}  # fmt: skip
DATABASE = {
    "db.system.name": "postgresql", "db.namespace": "shop", "db.operation.name": "SELECT",
    "db.query.text": "SELECT * FROM items WHERE id = %s", "server.address": "db.test", "server.port": 5432,
}  # fmt: skip


def make_provider() -> Any:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Muted(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Muted()))
    return provider


def make_block(provider: Any) -> Callable[[], float]:
    """A function that serves requests, and gives microseconds a span."""
    from opentelemetry.trace import SpanKind

    http = provider.get_tracer("opentelemetry.instrumentation.asgi")
    client = provider.get_tracer("opentelemetry.instrumentation.httpx")
    database = provider.get_tracer("opentelemetry.instrumentation.psycopg")

    def request() -> None:
        with http.start_as_current_span("POST /orders", kind=SpanKind.SERVER, attributes=SERVER):
            with database.start_as_current_span("SELECT shop", kind=SpanKind.CLIENT, attributes=DATABASE):
                pass
            with client.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes=CLIENT):
                pass
            with database.start_as_current_span("SELECT shop", kind=SpanKind.CLIENT, attributes=DATABASE):
                pass

    def block() -> float:
        start = time.perf_counter()
        for _ in range(REQUESTS_PER_BLOCK):
            request()
        return (time.perf_counter() - start) / (REQUESTS_PER_BLOCK * SPANS_PER_REQUEST) * 1e6

    return block


def mute() -> None:
    """Throw away what reaches our queue, as the providers' own exporters do."""
    from sentrial._export.queue import Outlet

    def throw_away(_self: Outlet, _batch: Any, _weight: int, destination: Any) -> Any:
        return destination

    assert callable(Outlet._deliver)
    Outlet._deliver = throw_away


def measure(mode: str, rounds: int) -> dict[str, Any]:
    from opentelemetry import context, trace

    import sentrial

    plain = make_block(make_provider())
    joined = make_provider()
    trace.set_tracer_provider(joined)
    mute()
    if mode == "request":
        os.environ["SENTRIAL_AUTO_SESSION"] = "request"
    sentrial.configure(api_key="key", api_url="http://127.0.0.1:9", queue_size=10**10)
    with sentrial.begin(user_id="u", event="elsewhere"):
        pass
    open_here = context.get_current()
    sentrial.begin(user_id="u", event="a session that goes on elsewhere")
    if mode != "in a session":
        context.attach(open_here)
    ours = make_block(joined)
    variants = {"plain": plain, mode: ours}
    for block in variants.values():
        block()
    added: dict[str, list[float]] = {name: [] for name in variants}
    plain_times = []
    for _ in range(rounds):
        for name, block in variants.items():
            before = plain()
            plain_times.append(before)
            added[name].append(block() - before)
    sentrial.shutdown(1)
    return {
        "mode": mode,
        "plain_us": statistics.median(plain_times),
        "added_us": statistics.median(added[mode]),
        "noise_us": statistics.median(added["plain"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300, help="blocks of each variant (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--child", metavar="MODE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.child, options.rounds)))
        return
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SENTRIAL_", "OTEL_"))}
    rows = []
    for mode in ("joined", "request", "in a session"):
        command = [sys.executable, __file__, "--rounds", str(options.rounds), "--child", mode]
        child = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        rows.append(json.loads(child.stdout))
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print("| spans | plain span, us | added us a span, median | noise, us | of one core at 1,000 spans/s |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        share = row["added_us"] * SPANS_PER_SECOND / 1e6
        print(
            f"| {row['mode']} | {row['plain_us']:.1f} | {row['added_us']:.1f} | {row['noise_us']:.1f} | {share:.2%} |"
        )


if __name__ == "__main__":
    main()
