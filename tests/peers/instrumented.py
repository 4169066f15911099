"""A program whose OpenAI client others have instrumented, and we maybe. Run in an environment of theirs.

    python instrumented.py INSTRUMENTATION...

In the order of instrumenting; ``us`` stands for ourselves. MODEL_URL is where a model answers: in one piece, as a
stream, and as a stream that tells no tokens. Prints what the root of each session says to every exporter, as it ends.
"""

from __future__ import annotations

import importlib
import json
import os
import sqlite3
import sys
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial

INSTRUMENTORS = {
    "openinference": ("openinference.instrumentation.openai", "OpenAIInstrumentor"),
    "openllmetry": ("opentelemetry.instrumentation.openai", "OpenAIInstrumentor"),
    "genai": ("opentelemetry.instrumentation.genai.openai", "OpenAIInstrumentor"),
    "openai_v2": ("opentelemetry.instrumentation.openai_v2", "OpenAIInstrumentor"),
    "requests": ("opentelemetry.instrumentation.requests", "RequestsInstrumentor"),
    "httpx": ("opentelemetry.instrumentation.httpx", "HTTPXClientInstrumentor"),
    "sqlite3": ("opentelemetry.instrumentation.sqlite3", "SQLite3Instrumentor"),
}
MESSAGES: Any = [{"role": "user", "content": "Where is it?"}]


def call_model() -> None:
    import openai

    client = openai.OpenAI(api_key="none", base_url=os.environ["MODEL_URL"], max_retries=0)
    with sentrial.begin("u", "in one piece"):
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    for agent in ("stream", "stream without tokens"):
        with sentrial.begin("u", agent):
            for _ in client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
                pass


def call_others(names: list[str]) -> None:
    """What a program does besides: over HTTP and with a database."""
    address = os.environ["MODEL_URL"] + "/files"
    if "requests" in names:
        import requests

        requests.post(address, json={}, timeout=10)
    if "httpx" in names:
        import httpx

        httpx.post(address, json={})
    if "sqlite3" in names:
        with sqlite3.connect(":memory:") as connection:
            connection.cursor().execute("SELECT 1")
        connection.close()


def main() -> None:
    names = sys.argv[1:]
    everybody, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(everybody))
    trace.set_tracer_provider(provider)
    for name in names:
        if name == "us":
            sentrial.configure()
        else:
            module, instrumentor = INSTRUMENTORS[name]
            getattr(importlib.import_module(module), instrumentor)().instrument()
    if "us" not in names:
        sentrial.configure(instrument=[])
    if {"requests", "httpx", "sqlite3"} & set(names):
        call_others(names)
        with sentrial.begin("u", "others"):
            call_others(names)
        call_others(names)
    else:
        call_model()
    sentrial.shutdown()
    roots = [span for span in everybody.get_finished_spans() if span.name.startswith("invoke_agent")]
    print(json.dumps({root.name.removeprefix("invoke_agent "): dict(root.attributes or {}) for root in roots}))


if __name__ == "__main__":
    main()
