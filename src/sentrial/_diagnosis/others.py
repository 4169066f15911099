"""Who else instruments or exports here, and what that means for sessions and for doubles."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from typing import Any

from sentrial import _foreign
from sentrial._diagnosis.finding import Finding, note
from sentrial._diagnosis.versions import version_of

ACTIVE = "active"
LOADED = "loaded"
INSTALLED = "installed"

_OPENINFERENCE = "openinference-instrumentation-"
_OTEL = "opentelemetry-instrumentation-"
_GENAI = f"{_OTEL}genai-"
"""OpenTelemetry's own of today, whose modules are in a package of their own."""

_OF_MODELS = frozenset(
    {
        "agno", "alephalpha", "anthropic", "bedrock", "chromadb", "claude-agent-sdk", "cohere", "crewai",
        "google-genai", "google-generativeai", "groq", "haystack", "langchain", "lancedb", "llamaindex", "mcp",
        "mistralai", "ollama", "openai", "openai-agents", "openai-agents-v2", "openai-v2", "replicate", "sagemaker",
        "together", "transformers", "vertexai", "voyageai", "watsonx", "writer",
    }
)  # fmt: skip
"""What follows ``opentelemetry-instrumentation-`` in the names of those that record model calls."""

_JOINS = "it uses OpenTelemetry too: its exporter gets our spans as it gets all others, and its spans inside a session"
SDKS: dict[str, tuple[str, str]] = {
    "traceloop-sdk": ("traceloop.sdk", f"{_JOINS} go along; it patches model clients as well"),
    "langfuse": ("langfuse", f"{_JOINS} go along"),
    "logfire": ("logfire", f"{_JOINS} go along"),
    "arize-phoenix-otel": ("phoenix.otel", f"{_JOINS} go along"),
    "sentry-sdk": ("sentry_sdk", "it traces on a road of its own, or through OpenTelemetry where it is told to"),
    "ddtrace": ("ddtrace", "its TracerProvider takes no span processors: sessions go through a private one of ours"),
    "langsmith": ("langsmith", "it records on a road of its own; nothing is doubled"),
    "agentops": ("agentops", f"{_JOINS} go along; it patches model clients as well"),
    "mlflow": ("mlflow", "it records on a road of its own; nothing is doubled"),
    "opik": ("opik", "it records on a road of its own; nothing is doubled"),
    "weave": ("weave", "it records on a road of its own; nothing is doubled"),
}
"""By distribution: the module that tells whether it is loaded, and what it means for us."""


def read_others() -> list[dict[str, Any]]:
    """Other instrumentations and SDKs, the active ones first; ``records``: what model client it records, if any."""
    active = set(_active())
    found = [_instrumentation(name, active) for name in sorted(_instrumentations())]
    for name, (module, words) in SDKS.items():
        version = version_of(name)
        if version is not None:
            state = LOADED if module in sys.modules else INSTALLED
            found.append({"name": name, "version": version, "state": state, "records": None, "means": words})
    return sorted(found, key=lambda each: (ACTIVE, LOADED, INSTALLED).index(each["state"]))


def findings_of(others: list[dict[str, Any]], clients: list[dict[str, Any]]) -> list[Finding]:
    """Who would record the calls of a client that we record; those that stand in its methods are told of there."""
    ours = {each["client"] for each in clients if each["state"] in ("patched", "will be patched")}
    told = {module.partition(".")[0] for each in clients for module in each["also_patched_by"]}
    return [
        note(
            "client-recorded-by-others",
            f"{each['name']} is {each['state']}, and records {each['records']} as we do: "
            "where both are on, its span tells of a call, and ours stays out",
            "Its spans count in their sessions. To have ours, with their content, leave out that instrumentor.",
        )
        for each in others
        if each["records"] is not None
        and any(each["records"].startswith(name) for name in ours)
        and each["name"].partition("-")[0] not in told
    ]


def _instrumentations() -> Iterator[str]:
    for found in distributions():
        # A folder that is half removed has metadata without a name.
        name = str(found.metadata["Name"] or "").lower().replace("_", "-")
        if name.startswith((_OPENINFERENCE, _OTEL)):
            yield name


def _instrumentation(name: str, active: set[str]) -> dict[str, Any]:
    of_models = name.startswith((_OPENINFERENCE, _GENAI)) or name.removeprefix(_OTEL) in _OF_MODELS
    subject = name.removeprefix(_OPENINFERENCE).removeprefix(_GENAI).removeprefix(_OTEL)
    module = name.replace("-", ".", 3 if name.startswith(_GENAI) else 2).replace("-", "_")
    state = ACTIVE if name in active else LOADED if module in sys.modules else INSTALLED
    means = "its spans inside a session are stamped, and go along with it"
    if of_models:
        means = f"it records {subject}: {means}; where we record the same calls, ours stays out"
    return {
        "name": name,
        "version": version_of(name),
        "state": state,
        "records": subject if of_models else None,
        "means": means,
    }


def package_of(module: str) -> str:
    """The package of the instrumentation that has ``module``."""
    parts = module.split(".")
    return ".".join(parts[: 4 if parts[2:3] == ["genai"] else 3])


def _active() -> Iterator[str]:
    """The distributions whose instrumentors are on, as OpenTelemetry's instrumentors are: one instance a class."""
    instrumentor = sys.modules.get("opentelemetry.instrumentation.instrumentor")
    waiting = [instrumentor.BaseInstrumentor] if instrumentor is not None else []
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if _foreign.is_on(vars(kind).get("_instance")):
            yield package_of(kind.__module__).replace(".", "-").replace("_", "-")
