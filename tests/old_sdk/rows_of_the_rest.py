"""What the other old names do here: decorators, wrappers, OpenTelemetry, PII, what comes later or never, modules."""

from __future__ import annotations

from old_sdk.rows import BETTER, LATER, LEFT_OUT, MOVED, SAME, Row, Section
from old_sdk.rows_of_langchain import LANGCHAIN

DECORATORS = Section(
    "Decorators and `SessionContext`",
    "sentrial",
    (
        Row(
            "tool",
            BETTER,
            "Also on generators, async generators, methods, class and static methods, partials. Never records `self` "
            "and `cls`; masks what is named like a secret. What the function does is below its span.",
        ),
        Row(
            "session",
            BETTER,
            "The same kinds of functions. What a coroutine or a generator does lands in its session, which ends with "
            "it. Takes `convo_id_param`, `metadata` and `client` too. Without a user id it has none.",
        ),
        Row("SessionContext SessionContext.*", SAME, "As `with sentrial.begin(...)`. Blocks no event loop."),
        Row("decorators.get_current_client", MOVED, "It is `sentrial.get_current_client`."),
        Row("decorators.clear_session_entry_points", LEFT_OUT, "The list holds only what is still there."),
    ),
)

WRAPPERS = Section(
    "Wrappers of model clients",
    "sentrial",
    (
        Row(
            "wrap_openai wrap_anthropic wrap_google wrap_llm",
            BETTER,
            "Records this one client, whatever `instrument=` leaves out; it comes back as it is. Without `instrument=` "
            "none needs wrapping: every client is recorded. What is no client of the library is named in one warning. "
            "See [model clients](instrumentation.md#switching).",
        ),
        Row(
            "wrappers.TrackedMessageStream wrappers.TrackedMessageStream.* wrappers.TrackedAsyncMessageStream "
            "wrappers.TrackedAsyncMessageStream.* wrappers.TrackedOpenAISyncStream wrappers.TrackedOpenAISyncStream.* "
            "wrappers.TrackedOpenAIAsyncStream wrappers.TrackedOpenAIAsyncStream.*",
            LEFT_OUT,
            "A stream keeps the type that the client's library gives it.",
        ),
    ),
)

OPENTELEMETRY = Section(
    "OpenTelemetry",
    "sentrial",
    (
        Row(
            "setup_otel_tracing",
            BETTER,
            "Has the traces of AI spans become sessions. A `TracerProvider` that exists is used; the old package did "
            "nothing then.",
        ),
        Row(
            "SentrialSpanProcessor SentrialSpanProcessor.*",
            BETTER,
            "For a provider of your own: each trace is a session, each of its spans an event, as it is: errors, tools "
            "and conversations too. Over OTLP, on a thread of ours, and nothing waits for `shutdown`.",
        ),
        Row(
            "SentrialSpanProcessor.api_key SentrialSpanProcessor.api_url SentrialSpanProcessor.project "
            "SentrialSpanProcessor.filter_ai_spans SentrialSpanProcessor.custom_filter "
            "SentrialSpanProcessor.user_id_attribute",
            LEFT_OUT,
            "What it was made with cannot be changed afterwards.",
        ),
        Row(
            "SentrialSpanProcessor.GENAI_PREFIXES", LEFT_OUT, "A span is kept by its dialect's attributes or its scope."
        ),
    ),
)

PII = Section(
    "Personal data: `sentrial.redact`",
    "sentrial.redact",
    (
        Row("PiiConfig PiiBuiltinPatterns PiiCustomPattern", BETTER, "Hold for all that leaves; see above."),
        Row("redact_string redact_value redact_payload", BETTER, "The same masking, for values of your own."),
    ),
)

FRAMEWORKS = Section(
    "CrewAI, AutoGen, Claude Agent SDK",
    "sentrial",
    (
        Row("SentrialCrewHandler SentrialCrewHandler.* track_crew", LATER, "CrewAI."),
        Row("SentrialAutogenHandler SentrialAutogenHandler.*", LATER, "AutoGen."),
        Row(
            "wrap_claude_agent wrap_claude_client TrackedClaudeClient TrackedClaudeClient.*", LATER, "Claude Agent SDK."
        ),
    ),
)

GONE = Section(
    "Left out for good",
    "sentrial",
    (
        Row(
            "Experiment Experiment.* ExperimentVariant ExperimentTestCase ExperimentRunTracker ExperimentRunTracker.* "
            "ExperimentRunResult ExperimentContext get_system_prompt get_experiment_context is_experiment_mode "
            "get_variant_name context.set_experiment_context context.clear_experiment_context",
            LEFT_OUT,
            "Experiments: prompts and test cases come from an API of Sentrial's, and runs are reported to it. That is "
            "no telemetry, and OTLP has no place for it.",
        ),
        Row(
            "LangfuseIntegration LangfuseIntegration.* LangfuseTraceContext LangfuseTraceContext.*",
            LEFT_OUT,
            "Langfuse takes OTLP itself: point `OTEL_EXPORTER_OTLP_ENDPOINT` at it; with `SENTRIAL_API_KEY` besides, "
            "both get everything.",
        ),
        Row(
            "pricing.MODEL_PRICING pricing.get_model_pricing pricing.calculate_cost",
            LEFT_OUT,
            "Prices are those of `genai-prices`; `SentrialClient.calculate_openai_cost` and its kin ask it.",
        ),
        Row(
            "cli.load_agent_module cli.run_experiment",
            LEFT_OUT,
            "They were the command `sentrial experiment`.",
        ),
    ),
)

MODULES = Section(
    "Modules",
    "sentrial",
    (
        Row("client decorators types wrappers", SAME, "There, with other neighbours: import names from `sentrial`."),
        Row("otel redact", SAME, "There, with all names."),
        Row("async_client batcher", MOVED, "Import their names from `sentrial`."),
        Row("cli cli.main", BETTER, "The command `sentrial`: it shows sessions. `sentrial experiment` is left out."),
        Row("crewai autogen claude_code", LATER, "With the frameworks."),
        Row("context experiment langfuse_integration pricing", LEFT_OUT, "With their names."),
    ),
)

SECTIONS = (DECORATORS, WRAPPERS, OPENTELEMETRY, PII, LANGCHAIN, FRAMEWORKS, GONE, MODULES)
