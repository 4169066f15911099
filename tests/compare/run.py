"""Runs all programs of a client, in the environment of a peer, and prints what was seen and told, as JSON.

    PYTHONPATH=tests PYTHON -m compare.run CLIENT WHO...

WHO: names of peers, switched on in that order; none: the client alone. ``-NAME``: switched off again.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import json
import logging
import sys
import time
import warnings
from contextlib import nullcontext
from importlib import metadata
from typing import Any

from compare.old_server import OldServer
from compare.peers import PEERS
from compare.program import Program
from compare.seen import Seen
from compare.telling import model_calls
from fake_provider import Answer, FakeProvider, Request

COMPLAINTS: list[str] = []


class Provider(FakeProvider):
    """Tells the tokens of a stream to those who ask for them, as OpenAI does."""

    def take(self, request: Request) -> Answer:
        is_chat, body = request.path.partition("?")[0].endswith("/chat/completions"), request.body
        if is_chat and body.get("stream") and not (body.get("stream_options") or {}).get("include_usage"):
            self.requests.append(request)
            return Answer.stream(usage=False)
        return super().take(request)


class Complaints(logging.Handler):
    """What is logged as an error by OpenTelemetry itself: contexts that were left in the wrong order among it."""

    def emit(self, record: logging.LogRecord) -> None:
        COMPLAINTS.append(f"{record.name}: {record.getMessage().splitlines()[0][:120]}")


def spans_of(exporter: Any) -> list[dict[str, Any]]:
    """The ended spans, as JSON has them."""
    return [
        {
            "name": span.name,
            "scope": span.instrumentation_scope.name,
            "start": span.start_time,
            "status": span.status.status_code.name,
            "attributes": json.loads(json.dumps(dict(span.attributes or {}), default=str)),
        }
        for span in exporter.get_finished_spans()
    ]


def run(program: Program, server: FakeProvider, wrap: Any) -> Seen:
    """Run one program. What it does not expect is part of what it has seen."""
    seen = Seen()
    try:
        if inspect.iscoroutinefunction(program.run):
            asyncio.run(program.run(server, seen, wrap))
        else:
            program.run(server, seen, wrap)
    except Exception as error:  # noqa: BLE001 - a peer breaks a program with any exception there is
        seen.error = f"{type(error).__name__}: {str(error).splitlines()[0][:100] if str(error) else ''}"
    # What was left unfinished ends here at the latest.
    gc.collect()
    return seen


def ours_session() -> Any:
    """A session of ours around a program."""
    import sentrial

    return sentrial.begin("u", "compared")


def wait_for(calls: int, exporter: Any) -> None:
    """A stream that was left may end a little later, on a thread: give it a second."""
    end = time.monotonic() + 1
    while time.monotonic() < end and len(model_calls(spans_of(exporter))) < calls:
        time.sleep(0.02)


def main() -> None:
    client, *who = sys.argv[1:]
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    logging.getLogger("opentelemetry").addHandler(Complaints(logging.ERROR))
    warnings.simplefilter("ignore")
    programs = importlib.import_module(f"compare.programs_{client}").PROGRAMS
    wrap: Any = lambda each: each  # noqa: E731 - the peer's own comes in its place
    report: dict[str, Any] = {}
    with Provider() as server, OldServer(who == ["sentrial_0_6"]) as old:
        for name in who:
            if name.startswith("-"):
                PEERS[name[1:]].stop(client)
            else:
                wrap = PEERS[name].start(client)
        for name, program in programs.items():
            exporter.clear()
            COMPLAINTS.clear()
            with old.session(), ours_session() if "ours" in who else nullcontext():
                seen = run(program, server, wrap)
            if who and who != ["sentrial_0_6"]:
                wait_for(len(program.calls), exporter)
            report[name] = {
                **vars(seen),
                "spans": spans_of(exporter) + old.spans(),
                "complaints": sorted(set(COMPLAINTS)),
            }
    distributions = ["openai", "anthropic", "google-genai"]
    for name in set(who) & set(PEERS):
        distributions += PEERS[name].distributions
    versions = {name: metadata.version(name) for name in distributions}
    sys.__stdout__.write(json.dumps({"versions": versions, "programs": report}))


if __name__ == "__main__":
    main()
