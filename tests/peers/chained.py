"""A program on LangChain that others have instrumented, and we maybe. Run in an environment of theirs.

    python chained.py MODEL INSTRUMENTATION...

MODEL: ``openai`` for LangChain's own, ``litellm`` or ``litellm anthropic`` with LiteLLM between. The rest in
the order of instrumenting: ``us`` stands for ourselves, ``us alone`` where we leave the model's client as it is.
MODEL_URL is where a model answers. Each run is made twice, the second time with a handler of ours. Prints what became
of each session: its root, all model calls that anybody tells of with their tokens, what the handler has counted.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Callable
from itertools import product
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import tool
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sentrial
from sentrial.langchain import SentrialCallbackHandler

INSTRUMENTORS = {
    "openinference": ("openinference.instrumentation.langchain", "LangChainInstrumentor"),
    "openllmetry": ("opentelemetry.instrumentation.langchain", "LangchainInstrumentor"),
    "otel": ("opentelemetry.instrumentation.genai.langchain", "LangChainInstrumentor"),
    "client": ("openinference.instrumentation.openai", "OpenAIInstrumentor"),
}
TOKENS = ("gen_ai.usage.input_tokens", "llm.token_count.prompt")
# One for all runs: LangChain keeps HTTP clients, which keep to their loop.
LOOP = asyncio.new_event_loop()
ASKED: Any = {"messages": [("user", "Where is my parcel?")]}


@tool
def find_order(number: int) -> str:
    """Find an order by its number."""
    with trace.get_tracer("shop").start_as_current_span("SELECT orders"):
        return f"order {number}"


@tool
def weather(city: str, days: list[int]) -> str:
    """What the weather will be."""
    return f"rain in {city}"


@tool
def track_parcel(number: str, detailed: bool = False) -> str:
    """Where a parcel is."""
    return f"{number} is in Lisbon"


TOOLS = [find_order, weather, track_parcel]


def build_model(kind: str, **settings: Any) -> Any:
    url = os.environ["MODEL_URL"]
    if kind == "openai":
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(
            model="gpt-4.1-mini", api_key="none", base_url=url, max_retries=0, stream_usage=True, **settings
        )
    from langchain_litellm import ChatLiteLLM

    name, address = ("anthropic/claude-opus-4-5", url.removesuffix("/v1")) if "anthropic" in kind else (
        "openai/gpt-4.1-mini", url
    )  # fmt: skip
    return ChatLiteLLM(model=name, api_key="none", api_base=address, max_retries=0, **settings)


def in_one_piece(kind: str, config: Any) -> None:
    create_agent(build_model(kind), TOOLS).invoke(ASKED, config)


def streamed(kind: str, config: Any) -> None:
    create_agent(build_model(kind, streaming=True), TOOLS).invoke(ASKED, config)


def asynchronous(kind: str, config: Any) -> None:
    LOOP.run_until_complete(create_agent(build_model(kind), TOOLS).ainvoke(ASKED, config))


def completion(kind: str, config: Any) -> None:
    from langchain_openai import OpenAI

    url = os.environ["MODEL_URL"]
    OpenAI(model="gpt-3.5-turbo-instruct", api_key="none", base_url=url, max_retries=0).invoke("Where is it?", config)


def client_afterwards(kind: str, config: Any) -> None:
    """A call of the program's own: LangChain's is over, whatever others have left in the context."""
    import openai

    build_model(kind).invoke("Where is it?", config)
    with openai.OpenAI(api_key="none", base_url=os.environ["MODEL_URL"], max_retries=0) as client:
        client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": "Where is it?"}])


def read_calls(spans: Any) -> list[tuple[str, int]]:
    """The spans with tokens, other than the session's root: who has made each, and the input tokens."""
    told = [
        (span.instrumentation_scope.name, next(span.attributes[key] for key in TOKENS if key in span.attributes))
        for span in sorted(spans, key=lambda span: span.start_time)
        if span.parent is not None and not span.attributes.keys().isdisjoint(TOKENS)
    ]
    return sorted(told, key=lambda call: call[0])


def set_up(names: list[str]) -> InMemorySpanExporter:
    everybody, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(everybody))
    trace.set_tracer_provider(provider)
    for name in names:
        if name == "us":
            sentrial.configure(store=False)
        elif name == "us alone":
            sentrial.configure(store=False, instrument=["langchain"])
        else:
            module, instrumentor = INSTRUMENTORS[name]
            getattr(importlib.import_module(module), instrumentor)().instrument()
    return everybody


def main() -> None:
    kind, *names = sys.argv[1:]
    everybody = set_up(names)
    runs: list[Callable[[str, Any], None]] = [in_one_piece, streamed, asynchronous]
    if kind == "openai":
        runs += [completion, client_afterwards]
    sessions: dict[str, dict[str, Any]] = {"none": {}, "given": {}}
    for handler, run in product(sessions, runs):
        handlers = [SentrialCallbackHandler()] if handler == "given" else []
        everybody.clear()
        with sentrial.begin("u", run.__name__):
            run(kind, {"callbacks": handlers})
        spans = everybody.get_finished_spans()
        (root,) = (span for span in spans if span.parent is None)
        sessions[handler][run.__name__] = {
            "root": dict(root.attributes or {}),
            "calls": read_calls(spans),
            "counted": [(each.llm_calls, each.total_prompt_tokens, each.total_completion_tokens) for each in handlers],
            "outside": [span.name for span in spans if "sentrial.session.id" not in (span.attributes or {})],
        }
    LOOP.close()
    sentrial.shutdown()
    print(json.dumps(sessions))


if __name__ == "__main__":
    main()
