"""Names of the older SDK that are not in this one, for programs that import them."""

from __future__ import annotations

from collections.abc import Mapping

_CREWAI = "what is for CrewAI comes later"
_AUTOGEN = "what is for AutoGen comes later"
_CLAUDE = "what is for the Claude Agent SDK comes later"
_EXPERIMENTS = "experiments are left out, for they are no telemetry"
_LANGFUSE = "Langfuse takes OTLP itself: let OTEL_EXPORTER_OTLP_ENDPOINT name it"

WHY: Mapping[str, str] = {
    "SentrialCrewHandler": _CREWAI,
    "track_crew": _CREWAI,
    "SentrialAutogenHandler": _AUTOGEN,
    "TrackedClaudeClient": _CLAUDE,
    "wrap_claude_agent": _CLAUDE,
    "wrap_claude_client": _CLAUDE,
    "Experiment": _EXPERIMENTS,
    "ExperimentContext": _EXPERIMENTS,
    "ExperimentRunResult": _EXPERIMENTS,
    "ExperimentRunTracker": _EXPERIMENTS,
    "ExperimentTestCase": _EXPERIMENTS,
    "ExperimentVariant": _EXPERIMENTS,
    "get_experiment_context": _EXPERIMENTS,
    "get_system_prompt": _EXPERIMENTS,
    "get_variant_name": _EXPERIMENTS,
    "is_experiment_mode": _EXPERIMENTS,
    "LangfuseIntegration": _LANGFUSE,
    "LangfuseTraceContext": _LANGFUSE,
    "EventBatcher": "every span is delivered in batches by itself, and sentrial.flush() waits for it",
}
"""By name, why it is not here."""


def words(name: str) -> str:
    """What to say to a program that asks for ``name``."""
    return f"{name} of the older SDK is not in sentrial-otel: {WHY[name]}. See docs/moving-over.md"
