"""Definitions of tools, as OpenAI's APIs take them."""

from __future__ import annotations

from sentrial._providers.openai.tools import read_tools


def test_tool_definitions_are_flat() -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = [
        {"type": "function", "function": {"name": "weather", "description": "Now", "parameters": parameters}},
        {"type": "function", "function": {"name": "bare", "strict": True}},
        {"type": "custom", "custom": {"name": "shell", "description": "Run"}},
        {"name": "older", "parameters": {}},
    ]
    assert read_tools(tools) == [
        {"type": "function", "name": "weather", "description": "Now", "parameters": parameters},
        {"type": "function", "name": "bare"},
        {"type": "custom", "name": "shell", "description": "Run"},
        {"type": "function", "name": "older"},
    ]


def test_tools_of_responses_are_named_whatever_kind_they_are() -> None:
    parameters = {"type": "object", "properties": {}}
    found = read_tools(
        [
            {"type": "function", "name": "weather", "description": "Now", "parameters": parameters, "strict": True},
            {"type": "custom", "name": "run_query", "format": {"type": "text"}},
            {"type": "web_search", "search_context_size": "low"},
            {
                "type": "namespace",
                "name": "crm",
                "description": "Customers",
                "tools": [{"type": "function", "name": "f"}],
            },
        ]
    )
    assert found == [
        {"type": "function", "name": "weather", "description": "Now", "parameters": parameters},
        {"type": "custom", "name": "run_query"},
        {"type": "web_search", "name": "web_search"},
        {"type": "namespace", "name": "crm", "description": "Customers"},
        {"type": "function", "name": "f"},
    ]


def test_the_key_to_a_remote_server_is_left_out() -> None:
    tool = {"type": "mcp", "server_label": "parcels", "server_url": "https://user:pw@parcels.example", "headers": {}}
    tool |= {"authorization": "secret", "server_description": "Parcels"}
    assert read_tools([tool]) == [{"type": "mcp", "name": "parcels", "description": "Parcels"}]
