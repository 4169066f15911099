"""Which attributes of a span type a client's scenarios show, by the checked-in lists that hold their exports."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from scenario import attributes_expected

INFERENCE = "gen_ai.client.inference"
EMBEDDINGS = "gen_ai.embeddings.client"
FETCHING = "gen_ai.fetch_response.client"
TOOL = "gen_ai.execute_tool.internal"
AGENT = "gen_ai.invoke_agent.internal"
WORKFLOW = "gen_ai.invoke_workflow.internal"
RETRIEVAL = "gen_ai.retrieval.client"

CLIENTS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google-genai",
    "langchain": "LangChain",
    "unpatched": "LangChain alone",
}
"""What scenarios' names begin with, and what users call the client."""

FLOORS: dict[tuple[str, str], int] = {
    ("openai", INFERENCE): 36,
    ("openai", EMBEDDINGS): 10,
    ("openai", FETCHING): 11,
    ("openai", TOOL): 10,
    ("anthropic", INFERENCE): 30,
    ("anthropic", TOOL): 10,
    ("google", INFERENCE): 38,
    ("google", EMBEDDINGS): 8,
    ("google", TOOL): 10,
    ("langchain", INFERENCE): 40,
    ("langchain", TOOL): 10,
    ("langchain", AGENT): 20,
    ("langchain", WORKFLOW): 6,
    ("langchain", RETRIEVAL): 7,
    ("unpatched", INFERENCE): 32,
}
"""How many attributes there have to be, at least: by client and span type."""

_VARIABLE = "gen_ai.prompt.variable"


@cache
def span_types(shared: Path) -> dict[str, Any]:
    """The span types of the conventions, as the registry has them."""
    registry: dict[str, Any] = json.loads((shared / "semconv" / "genai-registry.json").read_text(encoding="utf-8"))
    spans: dict[str, Any] = registry["spans"]
    return spans


def attributes_shown(shared: Path, client: str, span_type: str) -> tuple[set[str], set[str]]:
    """The attributes of ``span_type`` that the client's scenarios show, all together, and those that they do not."""
    described = span_types(shared)[span_type]
    shown = attributes_expected(f"{client}_*", set(described["operation_names"]))
    # Each variable of a prompt is an attribute of its own.
    shown = {_VARIABLE if key.startswith(f"{_VARIABLE}.") else key for key in shown}
    wanted = set(described["attributes"])
    return wanted & shown, wanted - shown
