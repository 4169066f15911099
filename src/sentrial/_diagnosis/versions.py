"""What is installed: ourselves, Python, OpenTelemetry, our extras, and the clients that programs like ours use."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from sentrial._config import Config
from sentrial._diagnosis.finding import Finding, note, problem
from sentrial._diagnosis.installation import OURS
from sentrial._version import __version__

PACKAGES = (
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-exporter-otlp-proto-grpc",
    "opentelemetry-proto",
    "opentelemetry-instrumentation",
    "wrapt",
    "requests",
    "grpcio",
    "protobuf",
)

CLIENTS = (
    "openai",
    "openai-agents",
    "anthropic",
    "claude-agent-sdk",
    "google-genai",
    "google-adk",
    "mistralai",
    "cohere",
    "groq",
    "ollama",
    "boto3",
    "litellm",
    "langchain-core",
    "langgraph",
    "llama-index-core",
    "crewai",
    "autogen-agentchat",
    "pydantic-ai-slim",
    "smolagents",
    "dspy",
    "mcp",
)
"""Clients and frameworks of models, by distribution: whether we know them or not, they say what a program does."""

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+).*;.*\bextra\s*==\s*['\"]([\w-]+)['\"]")


def read_versions() -> dict[str, Any]:
    """The versions; a package that is not installed has ``None``, a client that is not is left out."""
    return {
        OURS: __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {name: version_of(name) for name in PACKAGES},
        "extras": {name: not missing for name, missing in missing_by_extra().items()},
        "clients": {name: found for name in CLIENTS if (found := version_of(name)) is not None},
    }


def findings_of(config: Config) -> list[Finding]:
    """What the settings ask for and no extra is there to do."""
    found = []
    missing = missing_by_extra()
    if config.pii is not None and config.pii.enabled and missing.get("pii"):
        found.append(
            problem(
                "extra-missing",
                f"personal data is to be masked, and {', '.join(missing['pii'])} of the extra pii is not installed",
                f'Install it: pip install "{OURS}[pii]"',
            )
        )
    if missing.get("cost"):
        found.append(
            note(
                "extra-missing",
                "model calls get no cost: the extra cost is not installed",
                f'Install it, if you want prices: pip install "{OURS}[cost]"',
            )
        )
    return found


def missing_by_extra() -> dict[str, list[str]]:
    """Each extra of ours with the distributions of it that are not installed."""
    missing: dict[str, list[str]] = {}
    try:
        requirements = requires(OURS) or []
    except PackageNotFoundError:
        return missing
    for requirement in requirements:
        found = _REQUIREMENT.match(requirement)
        if found is not None and found[1] != OURS and found[2] != "all":
            names = missing.setdefault(found[2], [])
            if version_of(found[1]) is None:
                names.append(found[1])
    return missing


def version_of(name: str) -> str | None:
    """The version of an installed distribution."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
