"""What recording one model call adds to the user's thread: ours beside the floor, in one run.

    python benchmarks/added_time.py [--rounds N]

The model is an in-process HTTP transport that answers at once, so that what is measured is the client's work plus ours.
Blocks of calls alternate in one process: a block of a variant is compared with the plain block before it, and the
median over these pairs is reported. ``plain`` against itself shows the noise.

* plain: the client's own function, saved before anything is patched.
* bare span: a span of the OpenTelemetry SDK with 20 attributes and no content.
* floor: a hand-written wrapper of twenty lines with about 20 attributes and the messages as JSON.
* sentrial: the patched client inside a session, content recorded. own: with the provider that sentrial builds; joined:
  with the application's provider, whose exporter is muted.

Each is measured twice. quiet: what is queued is thrown away, the floor's and ours, which shows the work on the user's
thread alone. sending: both deliver to a sink, a process of its own, so that the work of their threads, which share the
interpreter, shows too.
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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CALLS_PER_BLOCK = {"small": 14, "large": 7}
Call = Callable[[], Any]


def messages(size: str) -> list[dict[str, str]]:
    if size == "small":
        return [{"role": "user", "content": "Where is my parcel? I have been waiting for days."}]
    return [{"role": "user" if n % 2 == 0 else "assistant", "content": f"{n} " + "word " * 400} for n in range(20)]


def tools(size: str) -> list[dict[str, Any]]:
    parameters = {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": f"The {name} to use"} for name in ("id", "name", "kind")
        },
        "required": ["id"],
    }
    function = {"description": "A tool that does one thing " * 3, "parameters": parameters}
    count = 10 if size == "large" else 0
    return [{"type": "function", "function": {"name": f"tool_{n}", **function}} for n in range(count)]


def answer(size: str) -> bytes:
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "gpt-4o-2024-08-06",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": "word " * (40 if size == "small" else 800)},
                }
            ],
            "usage": {"prompt_tokens": 1200, "completion_tokens": 340, "total_tokens": 1540},
        }
    ).encode()


def make_client(body: bytes) -> Any:
    """An OpenAI client over a transport that answers ``body`` without a socket."""
    import openai

    try:
        import httpx2 as httpx
    except ImportError:
        import httpx

    class Canned(httpx.BaseTransport):
        def handle_request(self, request: Any) -> Any:
            return httpx.Response(200, headers={"Content-Type": "application/json"}, content=body)

    return openai.OpenAI(api_key="none", base_url="http://model.test/v1", http_client=httpx.Client(transport=Canned()))


def make_floor(tracer: Any, plain: Callable[..., Any]) -> Callable[..., Any]:
    from opentelemetry.trace import SpanKind

    def floor(self: Any, **kwargs: Any) -> Any:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": kwargs["model"],
            "gen_ai.request.temperature": kwargs["temperature"],
            "gen_ai.request.max_tokens": kwargs["max_tokens"],
            "server.address": "model.test",
            "server.port": 80,
            "openai.api.type": "chat_completions",
            "deployment.environment.name": "production",
            "app.agent": "support-agent",
            "session.id": "s",
            "user.id": "u",
            "gen_ai.conversation.id": "c",
            "gen_ai.input.messages": json.dumps(kwargs["messages"]),
        }
        if kwargs.get("tools"):
            attributes["gen_ai.tool.definitions"] = json.dumps(kwargs["tools"])
        name = f"chat {kwargs['model']}"
        with tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes) as span:
            response = plain(self, **kwargs)
            span.set_attribute("gen_ai.response.id", response.id)
            span.set_attribute("gen_ai.response.model", response.model)
            span.set_attribute("gen_ai.response.finish_reasons", [choice.finish_reason for choice in response.choices])
            span.set_attribute("gen_ai.usage.input_tokens", response.usage.prompt_tokens)
            span.set_attribute("gen_ai.usage.output_tokens", response.usage.completion_tokens)
            span.set_attribute("app.usage.total_tokens", response.usage.total_tokens)
            span.set_attribute("gen_ai.output.messages", json.dumps([c.message.model_dump() for c in response.choices]))
            return response

    return floor


def make_bare_span(tracer: Any, plain: Callable[..., Any]) -> Callable[..., Any]:
    attributes = {f"attribute.{n}": "value" if n % 2 else n for n in range(20)}

    def bare(self: Any, **kwargs: Any) -> Any:
        with tracer.start_as_current_span("chat", attributes=attributes):
            return plain(self, **kwargs)

    return bare


def make_exporter(sink: str) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(f"{sink}/v1/traces")


def variants(mode: str, pace: str, sink: str) -> dict[str, Callable[..., Any]]:
    """The functions to compare: each takes the client's resource and the arguments of a call."""
    from openai.resources.chat.completions import Completions
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Muted(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    plain = Completions.create
    # A provider that sentrial never sees, so that the floor pays for nothing of ours.
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Muted() if pace == "quiet" else make_exporter(sink)))
    tracer = provider.get_tracer("benchmark")
    found = {"plain": plain, "bare span": make_bare_span(tracer, plain), "floor": make_floor(tracer, plain)}

    import sentrial

    if mode == "joined":
        from opentelemetry import trace

        application = TracerProvider()
        application.add_span_processor(BatchSpanProcessor(Muted()))
        trace.set_tracer_provider(application)
    if pace == "quiet":
        mute()
    sentrial.configure(api_key="key", api_url=sink, queue_size=10**10)
    sentrial.begin(user_id="u", event="benchmark", convo_id="c")
    assert Completions.create is not plain, "the client is not patched"
    found[f"sentrial, {mode}"] = Completions.create
    return found


def mute() -> None:
    """Throw away what reaches our queue: what the floor's muted exporter is to its batch processor."""
    from sentrial._export.queue import Outlet

    def throw_away(_self: Outlet, _batch: Any, _weight: int, destination: Any) -> Any:
        return destination

    assert callable(Outlet._deliver)
    Outlet._deliver = throw_away


def measure(mode: str, pace: str, sink: str, rounds: int) -> list[dict[str, Any]]:
    functions = variants(mode, pace, sink)
    rows = []
    for size, calls in CALLS_PER_BLOCK.items():
        resource = make_client(answer(size)).chat.completions
        arguments: dict[str, Any] = {
            "model": "gpt-4o",
            "messages": messages(size),
            "temperature": 0.2,
            "max_tokens": 500,
        }
        if tools(size):
            arguments["tools"] = tools(size)

        def block(
            function: Callable[..., Any], calls: int = calls, resource: Any = resource, given: Any = arguments
        ) -> float:
            start = time.perf_counter()
            for _ in range(calls):
                function(resource, **given)
            return (time.perf_counter() - start) / calls * 1e6

        for function in functions.values():
            block(function)
        added: dict[str, list[float]] = {name: [] for name in functions}
        plain_times = []
        for _ in range(rounds):
            for name, function in functions.items():
                before = block(functions["plain"])
                plain_times.append(before)
                added[name].append(block(function) - before)
        rows.append(
            {
                "mode": f"{mode}, {pace}",
                "size": size,
                "plain_us": statistics.median(plain_times),
                "added_us": {name: statistics.median(times) for name, times in added.items()},
            }
        )
    import sentrial

    sentrial.shutdown(60)
    return rows


def serve_sink() -> None:
    """A server that takes every request and keeps nothing, in a process of its own; prints its address."""

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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=150, help="blocks of each variant (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--child", nargs=3, metavar=("MODE", "PACE", "SINK"), help=argparse.SUPPRESS)
    parser.add_argument("--sink", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sink:
        serve_sink()
    if options.child:
        print(json.dumps(measure(*options.child, options.rounds)))
        return
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SENTRIAL_", "OTEL_"))}
    sink = subprocess.Popen([sys.executable, __file__, "--sink"], stdout=subprocess.PIPE, text=True)
    try:
        assert sink.stdout is not None
        address = sink.stdout.readline().strip()
        rows = []
        for mode in ("own", "joined"):
            for pace in ("quiet", "sending"):
                command = [sys.executable, __file__, "--rounds", str(options.rounds), "--child", mode, pace, address]
                child = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
                rows += json.loads(child.stdout)
    finally:
        sink.kill()
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print("| call | plain call, us | variant | added us, median | x floor |\n| --- | ---: | --- | ---: | ---: |")
    for row in rows:
        floor = row["added_us"]["floor"]
        for name, added in row["added_us"].items():
            print(
                f"| {row['size']}, {row['mode']} | {row['plain_us']:.0f} | {name} | {added:.0f} | {added / floor:.2f} |"
            )


if __name__ == "__main__":
    main()
