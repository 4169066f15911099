"""What tests of switching share: a call of each client, and what an exporter of the application's own sees of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fake_provider import FakeProvider
from sentrial.instrumentors import AnthropicInstrumentor, GoogleGenAIInstrumentor, OpenAIInstrumentor

Ask = Callable[[], Any]
CALL: dict[str, Any] = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}]}
ALL = [OpenAIInstrumentor, AnthropicInstrumentor, GoogleGenAIInstrumentor]
NAMES = ["openai", "anthropic", "google"]
PAIRS = list(zip(ALL, NAMES, strict=True))


def exporter_of(provider: TracerProvider) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What an exporter of the application's own sees."""
    provider = TracerProvider(shutdown_on_exit=False)
    trace.set_tracer_provider(provider)
    return exporter_of(provider)


@pytest.fixture
def model() -> Iterator[FakeProvider]:
    with FakeProvider() as model:
        yield model


@pytest.fixture
def asks(model: FakeProvider) -> Iterator[dict[str, Ask]]:
    """Of each client, a call."""
    one = openai.OpenAI(api_key="k", base_url=model.base_url, max_retries=0)
    two = anthropic.Anthropic(api_key="k", base_url=model.url, max_retries=0)
    three = genai.Client(api_key="k", http_options={"base_url": model.url})
    yield {
        "openai": lambda: one.chat.completions.create(**CALL),
        "anthropic": lambda: two.messages.create(model="claude-opus-5", max_tokens=9, messages=CALL["messages"]),
        "google": lambda: three.models.generate_content(model="gemini-2.5-flash", contents="Where is my parcel?"),
    }
    one.close()
    two.close()


def recorded(exporter: InMemorySpanExporter) -> list[str]:
    """The providers of our model calls, in order. (Left alone, the newest anthropic has spans of its own.)"""
    ours = [span for span in exporter.get_finished_spans() if span.instrumentation_scope.name == "sentrial"]
    found = [str((span.attributes or {})["gen_ai.provider.name"]) for span in ours]
    exporter.clear()
    return [name.partition(".")[0].replace("gcp", "google") for name in found]
