from __future__ import annotations

import pytest
from langchain_core.tools import tool

from langchain_scenarios import Models
from langchain_scenarios.overheard import Overheard, read
from sentrial._frameworks.langchain.tool_definitions import read_tools
from sentrial.types import Deferred


@tool
def weather(city: str) -> str:
    """What the weather will be."""
    return city


WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "What the weather will be.",
    "parameters": {"properties": {"city": {"type": "string"}}, "required": ["city"], "type": "object"},
}


@pytest.mark.parametrize("maker", ["openai", "anthropic", "google"])
def test_tools_are_defined_alike_in_the_words_of_every_api(models: Models, maker: str) -> None:
    overheard = Overheard()
    getattr(models, maker)().bind_tools([weather]).invoke("Where?", overheard.asking)

    assert read(overheard.request.tools) == [WEATHER]


def test_a_tool_of_a_server_keeps_its_secrets_and_each_api_its_own_words() -> None:
    tools = [
        {"type": "mcp", "server_label": "shop", "headers": {"Authorization": "Bearer x"}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
        {"function_declarations": [{"name": "a", "parameters": {"type": "object"}}]},
        {"toolSpec": {"name": "b", "inputSchema": {"json": {"type": "object"}}}},
        {"google_search": {}},
    ]

    assert read(Deferred(tools, read_tools)) == [
        {"type": "mcp", "name": "shop"},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "function", "name": "a", "parameters": {"type": "object"}},
        {"type": "function", "name": "b", "parameters": {"type": "object"}},
        {"type": "google_search", "name": "google_search"},
    ]
