"""A program that switches another instrumentation of its model client off. Run in an environment of the other one.

    python switched_off.py CLIENT STEP...

CLIENT: ``openai`` or ``google``. STEP: ``us`` for our own ``configure()``, the name of another instrumentation that is
switched on, the name with a minus for one that is switched off, or ``call``. MODEL_URL is where a model answers. Prints
who has recorded each call.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial

INSTRUMENTORS = {
    ("openai", "openinference"): ("openinference.instrumentation.openai", "OpenAIInstrumentor"),
    ("openai", "openllmetry"): ("opentelemetry.instrumentation.openai", "OpenAIInstrumentor"),
    ("google", "openinference"): ("openinference.instrumentation.google_genai", "GoogleGenAIInstrumentor"),
    ("google", "otel"): ("opentelemetry.instrumentation.google_genai", "GoogleGenAiSdkInstrumentor"),
}


def call_openai() -> None:
    import openai

    with openai.OpenAI(api_key="none", base_url=f"{os.environ['MODEL_URL']}/v1", max_retries=0) as client:
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Where is it?"}])


def call_google() -> None:
    from google import genai

    client = genai.Client(api_key="none", http_options={"base_url": os.environ["MODEL_URL"]})
    client.models.generate_content(model="gemini-2.5-flash", contents="Where is it?")


CALLS = {"openai": call_openai, "google": call_google}


def main() -> None:
    client, *steps = sys.argv[1:]
    everybody, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(everybody))
    trace.set_tracer_provider(provider)
    recorded = []
    for step in steps:
        if step == "us":
            sentrial.configure(store=False)
        elif step == "call":
            everybody.clear()
            CALLS[client]()
            recorded.append([span.instrumentation_scope.name for span in everybody.get_finished_spans()])
        else:
            module, name = INSTRUMENTORS[client, step.removeprefix("-")]
            instrumentor = getattr(importlib.import_module(module), name)()
            if step.startswith("-"):
                instrumentor.uninstrument()
            else:
                instrumentor.instrument()
    print(json.dumps(recorded))


if __name__ == "__main__":
    main()
