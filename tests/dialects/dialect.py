"""AI spans as other instrumentations write them: one trace of each dialect, with the keys that are really theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import SpanKind, Tracer, TracerProvider

QUESTION = "Where is my parcel?"
ANSWER = "At the post office."


@dataclass(frozen=True)
class Written:
    """One span: its children are written inside it."""

    name: str
    attributes: Mapping[str, Any]
    kind: SpanKind = SpanKind.INTERNAL
    children: tuple[Written, ...] = ()

    def write(self, tracer: Tracer) -> None:
        """Write it, and all below. Attributes come after the start, as most instrumentations have it."""
        with tracer.start_as_current_span(self.name, kind=self.kind) as span:
            span.set_attributes(self.attributes)
            for child in self.children:
                child.write(tracer)

    @property
    def all(self) -> tuple[Written, ...]:
        """It and everything below."""
        return (self, *(each for child in self.children for each in child.all))


@dataclass(frozen=True)
class Dialect:
    """A dialect, the scope that its instrumentation uses, and one trace in it."""

    name: str
    scope: str
    root: Written

    def write(self, provider: TracerProvider) -> None:
        """Write the trace."""
        self.root.write(provider.get_tracer(self.scope))


DIALECTS = (
    Dialect(
        "GenAI conventions",
        "opentelemetry.instrumentation.openai_v2",
        Written(
            "invoke_agent parcels",
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "parcels"},
            children=(
                Written(
                    "chat gpt-4.1-mini",
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": "openai",
                        "gen_ai.request.model": "gpt-4.1-mini",
                        "gen_ai.response.model": "gpt-4.1-mini-2025-04-14",
                        "gen_ai.usage.input_tokens": 100,
                        "gen_ai.usage.cache_read.input_tokens": 60,
                        "gen_ai.usage.output_tokens": 10,
                        "gen_ai.input.messages": json.dumps(
                            [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]
                        ),
                    },
                    SpanKind.CLIENT,
                ),
                Written(
                    "execute_tool track_parcel",
                    {
                        "gen_ai.operation.name": "execute_tool",
                        "gen_ai.tool.name": "track_parcel",
                        "gen_ai.tool.call.arguments": '{"number": 7}',
                        "gen_ai.tool.call.result": '{"place": "post office"}',
                    },
                ),
            ),
        ),
    ),
    Dialect(
        "OpenInference",
        "openinference.instrumentation.langchain",
        Written(
            "AgentExecutor",
            {"openinference.span.kind": "AGENT", "input.value": QUESTION, "output.value": ANSWER},
            children=(
                Written(
                    "ChatOpenAI",
                    {
                        "openinference.span.kind": "LLM",
                        "llm.model_name": "gpt-4.1-mini",
                        "llm.token_count.prompt": 100,
                        "llm.token_count.completion": 10,
                        "llm.input_messages.0.message.role": "user",
                        "llm.input_messages.0.message.content": QUESTION,
                    },
                ),
                Written("track_parcel", {"openinference.span.kind": "TOOL", "tool.name": "track_parcel"}),
            ),
        ),
    ),
    Dialect(
        "Vercel AI SDK",
        "ai",
        Written(
            "ai.generateText",
            {"operation.name": "ai.generateText", "ai.operationId": "ai.generateText", "ai.prompt": QUESTION},
            children=(
                Written(
                    "ai.generateText.doGenerate",
                    {
                        "ai.operationId": "ai.generateText.doGenerate",
                        "ai.model.id": "gpt-4.1-mini",
                        "ai.usage.promptTokens": 100,
                        "ai.usage.completionTokens": 10,
                    },
                    SpanKind.CLIENT,
                ),
                Written("ai.toolCall", {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "track_parcel"}),
            ),
        ),
    ),
    Dialect(
        "OpenLLMetry",
        "opentelemetry.instrumentation.langchain",
        Written(
            "parcels.workflow",
            {"traceloop.span.kind": "workflow", "traceloop.entity.name": "parcels"},
            children=(
                Written(
                    "openai.chat",
                    {
                        "gen_ai.system": "OpenAI",
                        "llm.request.type": "chat",
                        "gen_ai.request.model": "gpt-4.1-mini",
                        "gen_ai.prompt.0.role": "user",
                        "gen_ai.prompt.0.content": QUESTION,
                        "llm.usage.total_tokens": 110,
                    },
                    SpanKind.CLIENT,
                ),
                Written("track_parcel.tool", {"traceloop.span.kind": "tool", "traceloop.entity.name": "track_parcel"}),
            ),
        ),
    ),
)
